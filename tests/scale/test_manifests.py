"""The Kubernetes manifests: kustomize builds them, the schemas accept them, and their parts fit together."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from tests.pages import blocks, page
from tests.scale.manifests import SCALE, WORKLOADS, Manifest, build, containers, named, of_kind, pods

ROOT: Final = Path(__file__).parents[2]
KUBERNETES: Final = "1.37"


@pytest.fixture(scope="module")
def manifests() -> Sequence[Manifest]:
    """Return what stands in deploy/scale, built."""
    return build(SCALE)


@pytest.fixture(scope="module")
def customised(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Manifest]:
    """Return what the page's example of an own kustomization makes of it, in a folder beside this project."""
    (example,) = [block for block in blocks(page("scale"), "yaml") if "kind: Kustomization" in block]
    home = tmp_path_factory.mktemp("home")
    (home / "litespan").symlink_to(ROOT)
    (home / "yours").mkdir()
    (home / "yours" / "kustomization.yaml").write_text(example, encoding="utf-8")
    return build(home / "yours")


def check(manifest: Manifest) -> None:
    """Hold an object against Kubernetes' own schemas, unknown keys included."""
    kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_schemas_accept_every_manifest(manifests: Sequence[Manifest], customised: Sequence[Manifest]) -> None:
    """Kubernetes' schemas accept everything that is built, by itself and with the page's changes."""
    for manifest in (*manifests, *customised):
        check(manifest)

    assert len(manifests) > 15


@pytest.mark.parametrize(
    ("kind", "name", "path", "value"),
    [
        ("StatefulSet", "otel-gateway", ("spec", "serviceName"), 1),
        ("StatefulSet", "otel-gateway", ("spec", "volumeClaimTemplate"), []),
        ("HorizontalPodAutoscaler", "otel-gateway", ("spec", "maxReplica"), 3),
        ("PodDisruptionBudget", "otel-gateway", ("spec", "maxUnavailable"), []),
        ("DaemonSet", "otel-agent", ("spec", "template", "spec", "containers"), "otelcol"),
        ("Service", "otel-gateway", ("spec", "publishNotReadyAdresses"), True),
    ],
)
def test_schemas_find_mistakes(
    kind: str, name: str, path: Sequence[str], value: object, manifests: Sequence[Manifest]
) -> None:
    """A misspelt key or a value of a wrong type is refused: the check above can fail."""
    broken = copy.deepcopy(next(one for one in of_kind(manifests, kind) if name == one["metadata"]["name"]))
    *way, last = path
    place: Any = broken
    for key in way:
        place = place[key]
    place[last] = value

    with pytest.raises(kubernetes_validate.ValidationError):
        check(broken)


def test_example_of_secrets_makes_those_that_are_read(customised: Sequence[Manifest]) -> None:
    """The example for a store outside the cluster makes each secret that a pod reads, under the same keys."""
    text = (SCALE / "kubernetes" / "examples" / "external-secrets.yaml").read_text(encoding="utf-8")
    made = {
        (one["spec"]["target"]["name"], entry["secretKey"])
        for one in yaml.safe_load_all(text)
        for entry in one["spec"]["data"]
    }
    read = {
        (source["name"], source["key"])
        for _, container in containers(customised)
        for variable in container.get("env", ())
        if (source := variable.get("valueFrom", {}).get("secretKeyRef"))
    }

    assert {("jaeger-storage", "password"), ("kafka", "username"), ("kafka", "password")} == made
    assert made == read
    assert [] == of_kind(customised, "Secret")


def test_containers_are_watched_and_bounded(manifests: Sequence[Manifest]) -> None:
    """Each container has probes, requests, a limit for memory, and no rights."""
    for _, container in containers(manifests):
        limits, requests = container["resources"]["limits"], container["resources"]["requests"]

        assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(container)
        assert {"memory"} == set(limits)
        assert {"cpu", "memory"} == set(requests)
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["securityContext"]["runAsNonRoot"]
        assert ["ALL"] == container["securityContext"]["capabilities"]["drop"]


def mebibytes(amount: str) -> float:
    """Return an amount of memory in mebibytes; Go writes a B behind Kubernetes' words."""
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)B?", amount).groups()  # type: ignore[union-attr]
    return float(number) * {"Mi": 1, "Gi": 1024}[unit]


def test_go_knows_the_limit(manifests: Sequence[Manifest]) -> None:
    """Go's own memory limit is below the container's, so that it collects before it is killed."""
    for _, container in containers(manifests):
        (of_go,) = [one["value"] for one in container["env"] if "GOMEMLIMIT" == one["name"]]
        of_pod = mebibytes(container["resources"]["limits"]["memory"])

        assert 0.7 < mebibytes(of_go) / of_pod < 0.85


def test_configurations_are_mounted(customised: Sequence[Manifest]) -> None:
    """Each configuration that a container is started with is in the ConfigMap that it mounts."""
    for name, pod in pods(customised):
        volumes = {one["name"]: one.get("configMap", {}).get("name", "") for one in pod["spec"]["volumes"]}
        for container in pod["spec"]["containers"]:
            mounts = {one["mountPath"]: volumes.get(one["name"], "") for one in container["volumeMounts"]}
            for argument in container["args"]:
                if argument.startswith("--config="):
                    folder, _, file = argument.removeprefix("--config=").rpartition("/")
                    held = set(named(customised, "ConfigMap", mounts[folder])["data"])
                    choices = {file.replace("$(JAEGER_STORAGE)", one) for one in ("clickhouse", "opensearch")}

                    assert choices <= held, name


def test_page_changes_what_it_says(customised: Sequence[Manifest]) -> None:
    """The example's addresses, thresholds and the component of Kafka's password arrive in the pods."""
    settings = named(customised, "ConfigMap", "litespan-settings")["data"]
    arguments = dict(containers(customised))["otel-gateway"]["args"]

    assert ("opensearch", "0.25") == (settings["JAEGER_STORAGE"], settings["SAMPLING_DEAR_USD"])
    assert "KAFKA_TOPIC" in settings
    assert "--config=/etc/otelcol/kafka-sasl-gateway.yaml" == arguments[-1]


def test_workloads_survive_a_drain(manifests: Sequence[Manifest]) -> None:
    """All but the agents, which belong to their nodes, have a budget of disruption that picks their pods."""
    budgets = {
        one["metadata"]["name"]: one["spec"]["selector"]["matchLabels"]
        for one in of_kind(manifests, "PodDisruptionBudget")
    }
    labels = {name: pod["metadata"]["labels"] for name, pod in pods(manifests) if "otel-agent" != name}

    assert set(budgets) == set(labels)
    for name, wanted in budgets.items():
        assert wanted.items() <= labels[name].items()


def test_autoscalers_have_a_target(manifests: Sequence[Manifest]) -> None:
    """Each autoscaler has a workload; that of the gateways looks at the queue, and never shrinks them."""
    workloads = {(one["kind"], one["metadata"]["name"]) for one in of_kind(manifests, *WORKLOADS)}
    scalers = {one["metadata"]["name"]: one["spec"] for one in of_kind(manifests, "HorizontalPodAutoscaler")}
    gateways = scalers["otel-gateway"]
    metrics = [one["pods"]["metric"]["name"] for one in gateways["metrics"] if "Pods" == one["type"]]

    assert {"otel-gateway", "jaeger-ingester"} == set(scalers)
    for scaler in scalers.values():
        target = scaler["scaleTargetRef"]
        assert (target["kind"], target["name"]) in workloads
        assert scaler["minReplicas"] >= 2
    assert ["otelcol_exporter_queue_size"] == metrics
    assert "Disabled" == gateways["behavior"]["scaleDown"]["selectPolicy"]


def test_services_lead_to_pods(manifests: Sequence[Manifest]) -> None:
    """Each service picks pods of one workload, and its ports are ports of theirs."""
    for service in of_kind(manifests, "Service"):
        wanted = service["spec"]["selector"].items()
        ((_, pod),) = [one for one in pods(manifests) if wanted <= one[1]["metadata"]["labels"].items()]
        ports = {port["name"] for port in pod["spec"]["containers"][0]["ports"]}

        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


def test_agents_find_gateways(manifests: Sequence[Manifest]) -> None:
    """The agents look for services that are there, by names that a StatefulSet's pods have, and may do so."""
    on_kubernetes = yaml.safe_load((SCALE / "agent-kubernetes.yaml").read_text(encoding="utf-8"))
    resolver = on_kubernetes["exporters"]["load_balancing"]["resolver"]["k8s"]
    services = {one["metadata"]["name"]: one["spec"] for one in of_kind(manifests, "Service")}
    (metrics,) = re.findall(
        r"METRICS_GATEWAY:-http://([\w-]+):(\d+)\}", (SCALE / "agent.yaml").read_text(encoding="utf-8")
    )
    (rule,) = named(manifests, "Role", "otel-agent")["rules"]

    assert "None" == services[resolver["service"]]["clusterIP"]
    assert services[resolver["service"]]["publishNotReadyAddresses"]
    assert resolver["service"] == named(manifests, "StatefulSet", "otel-gateway")["spec"]["serviceName"]
    assert int(metrics[1]) in {port["port"] for port in services[metrics[0]]["ports"]}
    assert ({"get", "list", "watch"}, ["endpointslices"]) == (set(rule["verbs"]), rule["resources"])


def test_retry_of_refusals_is_switched_on(manifests: Sequence[Manifest]) -> None:
    """The gateways are started with the gate that gateway.yaml asks for."""
    gate = "--feature-gates=exporter.prometheusremotewritexporter.RetryOn429"

    assert gate in dict(containers(manifests))["otel-gateway"]["args"]
    assert gate in (SCALE / "gateway.yaml").read_text(encoding="utf-8")


def test_images_are_those_of_one_machine(manifests: Sequence[Manifest]) -> None:
    """Every image has the tag that docker-compose.yml pins."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    pinned = {service["image"] for service in services.values() if "image" in service}
    used = {
        container["image"]
        for _, pod in pods(manifests)
        for container in (*pod["spec"]["containers"], *pod["spec"].get("initContainers", ()))
    }

    assert used <= pinned


def test_settings_are_read() -> None:
    """Each setting is read by some file, and the thresholds are the files' own."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in SCALE.rglob("*.yaml"))
    settings = dict(
        line.split("=", 1)
        for line in (SCALE / "settings.env").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    )
    defaults = dict(re.findall(r"\$\{env:(\w+):-([^}]*)\}", text))

    assert [] == [name for name in settings if f"${{env:{name}" not in text and f"$({name})" not in text]
    for name, value in settings.items():
        assert not name.startswith("SAMPLING_") or value == defaults[name]


def test_stop_is_waited_for(manifests: Sequence[Manifest]) -> None:
    """A pod may take longer to stop than its configuration lets an export take."""
    agent = yaml.safe_load((SCALE / "agent.yaml").read_text(encoding="utf-8"))
    gateway = yaml.safe_load((SCALE / "gateway.yaml").read_text(encoding="utf-8"))
    grace = {
        name: pod["spec"]["terminationGracePeriodSeconds"] for name, pod in pods(manifests) if "otel" in name
    }

    assert grace["otel-agent"] > int(agent["exporters"]["load_balancing"]["timeout"].removesuffix("s"))
    assert grace["otel-gateway"] > int(gateway["exporters"]["kafka"]["timeout"].removesuffix("s"))
