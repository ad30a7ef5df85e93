"""What deploys the bot: each file is right for its own tool, and fits the code and the others."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import promql_parser
import pytest
import yaml
from prometheus_client import generate_latest

import bot
import bot.app
from bot.environment import Environment
from bot.web import Health
from storage.timing import Timing
from tests.conftest import configured

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
KUBERNETES = ROOT / "deploy/kubernetes"
OTHERS = {"kustomization.yaml", "prometheus-adapter-values.yaml", "secret.yaml"}
"""No manifests of the bot's; the last is an operator's own copy."""
MANIFESTS = [path for path in sorted(KUBERNETES.iterdir()) if path.name not in OTHERS]
KUBERNETES_VERSION = "1.37.0"
MOST_EXPOSURE = 15
"""In tenths of systemd's own scale, from 0 to 100. What is left is the network, mostly."""


def run(*command: str | Path) -> str:
    """Run a tool, which must find nothing bad; a package's tools are beside this Python."""
    name, *arguments = command
    beside = Path(sys.executable).with_name(str(name))
    program = beside if beside.exists() else name
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def documents(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text()))


def resources(*kinds: str) -> list[Any]:
    """All Kubernetes objects, or those of some kinds."""
    every = [document for path in MANIFESTS for document in documents(path)]
    return [each for each in every if not kinds or each["kind"] in kinds]


def containers() -> list[Any]:
    """All containers of the bot itself."""
    pods = [each["spec"]["template"]["spec"] for each in resources("Deployment")]
    return [container for pod in pods for container in pod["containers"]]


def find(tree: Any, key: str) -> Iterator[Any]:
    """All values under a key, however deep."""
    if isinstance(tree, dict):
        if key in tree:
            yield tree[key]
        tree = list(tree.values())
    if isinstance(tree, list):
        for each in tree:
            yield from find(each, key)


def served(text: str) -> set[str]:
    """All names of series in a text such as /metrics gives."""
    names = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        ends = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        names |= {name + end for end in ends}
    return names


def alerts() -> list[Any]:
    [rules] = documents(ROOT / "deploy/prometheus/alerts.yaml")
    return [rule for group in rules["groups"] for rule in group["rules"]]


def dashboard() -> Any:
    return json.loads((ROOT / "deploy/grafana/dashboard.json").read_text())


def queries() -> Iterator[tuple[str, str]]:
    """All PromQL there is, after where it stands; what a program fills in is filled in."""
    for rule in alerts():
        yield rule["alert"], rule["expr"]
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], re.sub(r"\$__(rate_interval|range)\b", "5m", target["expr"])
    [adapter] = documents(KUBERNETES / "prometheus-adapter-values.yaml")
    for rule in adapter["rules"]["external"]:
        series = rule["seriesQuery"].partition("{")[0]
        filled = rule["metricsQuery"].replace("<<.LabelMatchers>>", 'namespace="default"')
        yield "adapter, series", rule["seriesQuery"]
        yield "adapter, query", filled.replace("<<.Series>>", series)


def asked(query: str) -> set[str]:
    """All names of series in a query. Raises ValueError if it is no PromQL."""
    nodes: list[promql_parser.Expr] = []
    promql_parser.walk(promql_parser.parse(query), nodes.append)
    return {node.name or "" for node in nodes if isinstance(node, promql_parser.VectorSelector)}


def test_compose() -> None:
    run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", ROOT / "compose.yaml")


def test_compose_scales() -> None:
    """No service has a name or a port of the host, of which there is but one."""
    [compose] = documents(ROOT / "compose.yaml")
    services = compose["services"]
    assert not {"container_name", "ports"} & {key for each in services.values() for key in each}
    assert urlsplit(services["bot"]["environment"]["REDIS_URL"]).hostname in services


def test_dockerfile() -> None:
    run("hadolint", "--no-color", ROOT / "Dockerfile")


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_kubernetes(path: Path) -> None:
    """Each object has its schema, and no key that it does not know."""
    run("kubernetes-validate", "--strict", "-k", KUBERNETES_VERSION, path)


def test_kustomization() -> None:
    """It lists every manifest but the example, and what is applied by hand."""
    [listed] = documents(KUBERNETES / "kustomization.yaml")
    others = {"secret.example.yaml", "tool.yaml"}
    assert {*listed["resources"]} | others == {path.name for path in MANIFESTS}
    images = {f"{image['name']}:{image['newTag']}" for image in listed["images"]}
    assert images == {each["image"] for each in containers()}


def test_images_have_a_version() -> None:
    """Ours is that of this release, everywhere; nothing runs as `latest`, said or unsaid."""
    images = set(find(resources(), "image"))
    assert len(images) == 2
    for image in images:
        name, _, tag = image.partition(":")
        assert tag not in ("", "latest")
        assert name != "yandexgpt-telegram-bot" or tag == bot.__version__


def test_compose_is_bounded() -> None:
    """No service fills the disk with its log, or takes all memory."""
    [compose] = documents(ROOT / "compose.yaml")
    for service in compose["services"].values():
        assert {"max-size", "max-file"} <= set(service["logging"]["options"])
        assert service["mem_limit"]


@pytest.mark.parametrize("command", ["check", "dead", "export", "import"])
def test_commands_are_told_of_everywhere(command: str) -> None:
    """Each is shown under Compose, Docker, systemd and Kubernetes, and each path of theirs is."""
    text = (ROOT / "docs/operations.md").read_text()
    shown = re.findall(r"```sh\n(.*?)```", text.partition("## Its commands")[2], re.DOTALL)
    assert len(shown) == 4
    for block in shown:
        assert re.search(rf"\bbot {command}\b", block), block
        for path in re.findall(r"deploy/\S+", block):
            assert (ROOT / path).is_file()


def test_docker_run_has_time_to_stop() -> None:
    """Whoever copies it gets a bot that comes back, and is not cut short."""
    for path in ("README.md", "docs/operations.md"):
        text = (ROOT / path).read_text().replace("\\\n", "")
        [line] = re.findall(r"^docker run --detach .*", text, re.MULTILINE)
        assert "--restart unless-stopped" in line
        [seconds] = re.findall(r"--stop-timeout (\d+)", line)
        assert int(seconds) > Timing().grace + 15  # its server's own end


def test_names() -> None:
    """Whatever one object says of another is true."""
    there = {(each["kind"], each["metadata"]["name"]) for each in resources()}
    named = [(each["kind"], each["name"]) for each in find(resources(), "scaleTargetRef")]
    named += [("Service", name) for name in find(resources(), "serviceName")]
    named += [("Service", each["name"]) for each in find(resources("Ingress"), "service")]
    named += [("ConfigMap", each["name"]) for each in find(resources(), "configMapRef")]
    named += [("Secret", each["name"]) for each in find(resources(), "secretRef")]
    named += [("Service", urlsplit(url).hostname) for url in find(resources(), "REDIS_URL")]
    assert set(named) <= there
    labels = [pod["metadata"]["labels"].items() for pod in find(resources(), "template")]
    for key in ("selector", "podSelector", "labelSelector"):
        for selector in find(resources(), key):
            wanted = selector.get("matchLabels", selector).items()
            assert any(wanted <= has for has in labels), wanted


def test_the_webhook_comes_in() -> None:
    """The Ingress leads from exactly the address that Telegram is told to a port that is there."""
    [config], [ingress] = resources("ConfigMap"), resources("Ingress")
    url = urlsplit(config["data"]["WEBHOOK_URL"])
    [rule], [tls] = ingress["spec"]["rules"], ingress["spec"]["tls"]
    [path] = rule["http"]["paths"]
    assert (url.scheme, url.hostname, url.path) == ("https", rule["host"], path["path"])
    assert (path["pathType"], tls["hosts"]) == ("Prefix", [url.hostname])
    target = path["backend"]["service"]
    [service] = [s for s in resources("Service") if s["metadata"]["name"] == target["name"]]
    assert [target["port"]["name"]] == [port["name"] for port in service["spec"]["ports"]]


PROBES = {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}


def ports(container: Any) -> dict[str, int]:
    """The ports of a container by their names."""
    return {port["name"]: port["containerPort"] for port in container["ports"]}


def test_probes() -> None:
    """They ask for paths that the bot serves, at the port where the image listens."""
    paths = {route.path for route in Health().routes}
    [image] = re.findall(r"LISTEN=\S+:(\d+)", (ROOT / "Dockerfile").read_text())
    for container in containers():
        assert str(ports(container)["http"]) == image
        for kind, path in PROBES.items():
            assert container[kind]["httpGet"] == {"path": path, "port": "http"}
    assert set(PROBES.values()) <= paths


def test_metrics_are_found() -> None:
    """Prometheus is led to where each process serves its figures: not to the webhook's port."""
    [config] = resources("ConfigMap")
    for each in resources("Deployment"):
        template = each["spec"]["template"]
        [container] = template["spec"]["containers"]
        given = {one["name"]: one["value"] for one in container["env"]}
        settings = configured(
            telegram_token="1:a",
            api_key="k",
            listen=f"0.0.0.0:{ports(container)['http']}",
            **{name.lower(): value for name, value in (config["data"] | given).items()},
        )
        _, port = settings.metrics_address or ("", 0)
        notes = template["metadata"]["annotations"]
        assert (notes["prometheus.io/path"], notes["prometheus.io/port"]) == ("/metrics", str(port))
        assert port in ports(container).values()


def test_settings() -> None:
    """Every variable that is set is one that the bot knows, or Python itself."""
    [compose] = documents(ROOT / "compose.yaml")
    named = set(compose["services"]["bot"]["environment"])
    for key in ("data", "stringData"):
        named.update(*find(resources("ConfigMap", "Secret"), key))
    named |= {variable["name"] for each in containers() for variable in each["env"]}
    for unit in UNITS:
        for line in re.findall(r"^Environment=(.*)", unit.read_text(), re.MULTILINE):
            named |= {word.partition("=")[0] for word in line.split()}
    known = {"PYTHONUNBUFFERED"}
    for name, field in Environment.model_fields.items():
        known |= set(getattr(field.validation_alias, "choices", [name.upper()]))
    assert named <= known


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd(unit: Path, tmp_path: Path) -> None:
    """It is understood, and a hole in the bot would lead nowhere."""
    if not shutil.which("systemd-analyze"):
        reason = "NO systemd-analyze HERE: the systemd units stay unchecked"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    # The program is not where the unit has it; any other is as good.
    text, count = re.subn(r"(?m)^ExecStart=\S+", f"ExecStart={sys.executable}", unit.read_text())
    assert count == 1
    copy = tmp_path / unit.name
    copy.write_text(text)
    said = run("systemd-analyze", "verify", "--man=no", copy)
    assert str(copy) not in said, said  # what it does not understand it only tells
    run("systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSURE}", copy)


def test_promql() -> None:
    """Every query parses, and asks for nothing that nobody serves."""
    there = served(generate_latest().decode())
    for where, query in queries():
        assert asked(query) <= there, where


def test_alerts() -> None:
    """Each says how bad it is, what it is, and what to do."""
    for rule in alerts():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"].keys() == {"summary", "description", "action", "runbook"}
        assert rule["annotations"]["runbook"] == "docs/operations.md"


def test_dashboard() -> None:
    """Panels are numbered, none covers another, and all ask the source that one chooses."""
    board = dashboard()
    assert [each["name"] for each in board["templating"]["list"]] == ["datasource", "bot", "job"]
    assert {each["uid"] for each in find(board, "datasource")} == {"${datasource}"}
    assert len(set(find(board["panels"], "id"))) == len(board["panels"])
    for one, other in combinations(find(board, "gridPos"), 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert beside or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
