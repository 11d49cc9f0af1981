// Command kfake is a Kafka broker that keeps everything in memory, for machines without Java.
package main

import (
	"flag"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/twmb/franz-go/pkg/kfake"
)

func main() {
	port := flag.Int("port", 9092, "port on the loopback address")
	topic := flag.String("topic", "otlp_spans", "topic that is there from the start")
	partitions := flag.Int("partitions", 1, "partitions of the topic")
	flag.Parse()
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.Ports(*port),
		kfake.SeedTopics(int32(*partitions), *topic),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	<-ended
}
