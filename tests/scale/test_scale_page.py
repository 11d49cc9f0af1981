"""docs/scale.md: what it says is what the files say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any, Final

import yaml

from tests.pages import blocks, page
from tests.stack.commands import ROOT, check_rules

SCALE: Final = ROOT / "deploy" / "scale"
PAGE: Final = page("scale")
GATEWAY: Final = (SCALE / "gateway.yaml").read_text(encoding="utf-8")


def command(start: str) -> list[str]:
    """Return the words of the one command of the page that starts so."""
    lines = "".join(blocks(PAGE, "sh")).splitlines()
    (line,) = [line for line in lines if line.startswith(start)]
    return shlex.split(line)


def default(name: str, text: str = GATEWAY) -> str:
    """Return what a variable is where it is not set."""
    (value,) = re.findall(rf"\$\{{env:{name}:-([^}}]*)\}}", text)
    return str(value)


def test_thresholds_are_those_of_the_file() -> None:
    """The page's table of what is kept has each threshold with its default."""
    rows = re.findall(r"^\| .* \| `(SAMPLING_\w+)` \| (\S+) \|$", PAGE, re.MULTILINE)

    assert {"SAMPLING_DEAR_USD", "SAMPLING_SLOW_MS", "SAMPLING_PERCENT"} == {name for name, _ in rows}
    for name, value in rows:
        assert value == default(name)


def test_window_is_as_large_as_the_files_make_it() -> None:
    """The seconds for which a gateway holds a trace, and the spans of the example, follow from the files."""
    after_root = int(default("SAMPLING_AFTER_ROOT").removesuffix("s"))
    longest = default("SAMPLING_DECISION_WAIT").removesuffix("m")
    seconds = 60 + after_root

    assert f"until {after_root}\nseconds after its root" in PAGE
    assert f"It decides {after_root} seconds after" in PAGE
    assert f"after {longest} minutes at the\nlatest" in PAGE
    assert f"at most what one gateway was sent in the last {seconds} seconds" in PAGE
    assert f"a\nthousand spans a second on four gateways, at most {1000 // 4 * seconds:,} spans" in PAGE


def test_opensearch_window_is_that_of_the_file() -> None:
    """How long Jaeger gathers spans for OpenSearch is what the page says is lost."""
    text = (SCALE / "jaeger-storage-opensearch.yaml").read_text(encoding="utf-8")
    interval = re.findall(r"flush_interval: (\d+)ms", text)

    assert [interval] == [re.findall(r"those of the last (\d+) ms", PAGE)]


def test_sizes_are_those_of_the_files() -> None:
    """Queues and the number of traces in memory are as large as the page says."""
    agent = (SCALE / "agent.yaml").read_text(encoding="utf-8")

    assert f"`SAMPLING_TRACES` ({int(default('SAMPLING_TRACES')):,} for each" in PAGE
    assert f"`AGENT_QUEUE_BYTES` ({int(default('AGENT_QUEUE_BYTES', agent)) >> 30} GiB)" in PAGE
    assert f"`GATEWAY_QUEUE_BYTES` ({int(default('GATEWAY_QUEUE_BYTES')) >> 30} GiB)" in PAGE


def test_topic_takes_the_largest_message() -> None:
    """The topic is made with the name, the size and the key's partitions that the gateways count on."""
    from tools.sizing.spans import PARTITIONS

    words = command("kafka-topics.sh")
    kafka: Any = yaml.safe_load(GATEWAY)["exporters"]["kafka"]

    assert f"max.message.bytes={kafka['producer']['max_message_bytes']}" in words
    assert default("KAFKA_TOPIC") == words[words.index("--topic") + 1]
    assert str(PARTITIONS) == words[words.index("--partitions") + 1]


def test_queries_are_promql(tmp_path: Path) -> None:
    """What the page tells to watch passes Prometheus' own parser."""
    queries = blocks(PAGE, "promql")
    rules = [{"record": f"watch:{number}", "expr": query} for number, query in enumerate(queries)]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "watch", "rules": rules}]}), encoding="utf-8")
    done = check_rules(file)

    assert 0 == done.returncode, done.stderr
    assert f"{len(queries)} rules found" in done.stdout
    assert f"> {int(default('SAMPLING_TRACES')) // 2}\n" in PAGE


def test_rules_are_the_shipped_ones() -> None:
    """Every file of rules is loaded, and no other."""
    loaded = [word for word in command("mimirtool") if word.endswith(".yml")]
    there = {str(path.relative_to(ROOT)) for path in ROOT.glob("deploy/prometheus/rules/*.yml")}
    (pattern,) = [
        word.removeprefix("--rule-file=") for word in command("thanos") if word.startswith("--rule-file=")
    ]

    assert there == set(loaded)
    assert there == {str(path.relative_to(ROOT)) for path in ROOT.glob(pattern)}


def test_files_of_the_page_are_there() -> None:
    """Each file that the page names exists, and the folder that is applied is a kustomization."""
    named = re.findall(r"^\| `([\w./-]+\.yaml)`", PAGE, re.MULTILINE)

    assert len(named) >= 5
    assert [] == [name for name in named if not (SCALE / name).is_file()]
    assert (ROOT / command("kubectl apply")[-1] / "kustomization.yaml").is_file()


def test_grafanas_variables_are_those_of_the_file() -> None:
    """The page names each variable that the data sources read."""
    text = (SCALE / "grafana" / "datasources.yaml").read_text(encoding="utf-8")
    variables = set(re.findall(r"(?<!\$)\$([A-Z]\w+)", text))

    assert {"METRICS_URL", "METRICS_TYPE", "JAEGER_URL", "JAEGER_PUBLIC_URL"} == variables
    assert [] == [name for name in variables if f"`{name}`" not in PAGE]
