"""Whether those who read the files of docs/deploy will take them: rendered as an operator does, compared with the schemas
of Kubernetes and Compose, with the server's own check of its configuration, and with each other. Then mistakes are planted,
and each check must find its own.

compose-spec.json is schema/compose-spec.json of github.com/compose-spec/compose-spec (Apache-2.0) at
a08f8d51631b7127ddac3d2c65537db429d0f1d0, of 2025-10-28.

    python check.py PARLOIR     # PARLOIR: the binary
"""

import copy
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import jsonschema
import kubernetes_validate
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "docs" / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
COMPOSE_SCHEMA = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
# gRPC probes and everything else in the manifests are there since the first, unless a cluster has them switched off.
VERSIONS = ["1.27.0", "1.32.0", "1.37.0"]
# What shutdown.hard_deadline is where it is not set.
HARD_DEADLINE = 25


class Refused(Exception):
    """A file that its reader would not take, or that does not fit another one."""


def demand(holds, otherwise):
    if not holds:
        raise Refused(otherwise)


# --- Kubernetes -----------------------------------------------------------------------------------------------------


def rendered():
    run = subprocess.run(["kubectl", "kustomize", KUBERNETES], capture_output=True, text=True)
    demand(run.returncode == 0, f"kubectl kustomize: {run.stderr}")
    return [manifest for manifest in yaml.safe_load_all(run.stdout) if manifest]


def kubernetes_accepts(manifests):
    for manifest in manifests:
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(manifest, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                raise Refused(f"{manifest['kind']} at {version}: {error.json_path}: {error.message}") from error


def one(manifests, kind, name):
    found = [each for each in manifests if each["kind"] == kind and each["metadata"]["name"] == name]
    demand(len(found) == 1, f"{len(found)} {kind} {name}")
    return found[0]


def manifests_fit_together(manifests):
    spec = one(manifests, "Deployment", "parloir")["spec"]
    pod, labels = spec["template"]["spec"], spec["template"]["metadata"]["labels"].items()
    container = pod["containers"][0]
    configs = [each for each in manifests if each["kind"] == "ConfigMap"]
    demand(len(configs) == 1, "not one ConfigMap")
    config = tomllib.loads(configs[0]["data"]["parloir.toml"])

    demand(spec["replicas"] == 3, "not three replicas")
    rolling = spec["strategy"]["rollingUpdate"]
    demand((rolling["maxUnavailable"], rolling["maxSurge"]) == (0, 1), "a replica goes before its successor is there")
    grace = pod["terminationGracePeriodSeconds"]
    demand(grace > hard_deadline(config), "pods are killed before shutdown.hard_deadline")

    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for name in ["grpc", "webhooks", "ops"]:
        demand(config[name]["listen"] == f"0.0.0.0:{ports[name]}", f"{name}.listen is not the port {ports[name]}")
    for probe, services in [("startup", [""]), ("readiness", contract()), ("liveness", [""])]:
        asked = container[f"{probe}Probe"]["grpc"]
        demand(asked["port"] == ports["grpc"], f"the {probe} probe asks another port")
        demand(asked["service"] in services, f"the {probe} probe asks for {asked['service']!r}")

    by_selector = [one(manifests, "Service", name)["spec"] for name in ["parloir", "parloir-webhooks"]]
    demand(by_selector[0]["clusterIP"] == "None", "the Service of callers has an address of its own")
    for service in by_selector:
        demand(service["selector"].items() <= labels, "a Service selects no pod")
        for port in service["ports"]:
            demand(port["targetPort"] in ports, f"a Service leads to no port {port['targetPort']}")
    budget = one(manifests, "PodDisruptionBudget", "parloir")["spec"]
    demand(budget["maxUnavailable"] == 1, "a drain may take several replicas at once")
    for selector in [budget["selector"], spec["selector"]] + [
        constraint["labelSelector"] for constraint in pod["topologySpreadConstraints"]
    ]:
        demand(selector["matchLabels"].items() <= labels, f"{selector} selects no pod")

    mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    demand(mounted.keys() == volumes.keys(), "a volume is not mounted, or a mount has none")
    demand(volumes["config"]["configMap"]["name"] == configs[0]["metadata"]["name"], "no pod has the configuration")
    demand(container["args"][-1] == f"{mounted['config']}/parloir.toml", "the configuration is elsewhere")
    for path in secret_files(config):
        demand(path.parent == Path(mounted["secrets"]), f"{path} is not mounted")


def contract():
    """The services of the contract: what may be asked for."""
    files = [file.read_text() for file in (ROOT / "proto").rglob("*.proto")]
    return [
        f"{re.search(r'^package (.+);', text, re.M)[1]}.{service}"
        for text in files
        for service in re.findall(r"^service (\w+)", text, re.M)
    ]


# --- Compose --------------------------------------------------------------------------------------------------------


def compose_accepts(compose):
    errors = jsonschema.Draft7Validator(COMPOSE_SCHEMA).iter_errors(compose)
    found = [f"{error.json_path}: {error.message}" for error in errors]
    demand(not found, "\n".join(found))


def compose_fits_together(compose):
    services = compose["services"]
    config = tomllib.loads((DEPLOY / "parloir.toml").read_text())
    replicas = {name: service for name, service in services.items() if service["image"].startswith("parloir")}
    demand(len(replicas) == 3, "not three replicas")
    taken = [port for service in services.values() for port in service.get("ports", [])]
    demand(len({port.rsplit(":", 1)[0] for port in taken}) == len(taken), "a port is published twice")
    for name, service in services.items():
        demand("healthcheck" in service, f"{name} has no health check")
        for other in service.get("depends_on", {}):
            demand(other in services, f"{name} depends on {other}")
        for secret in service.get("secrets", []):
            demand(secret in compose["secrets"], f"{name} names the secret {secret}")
    for name, service in replicas.items():
        demand(seconds(service["stop_grace_period"]) > hard_deadline(config), f"{name} is killed too early")
        given = {Path("/run/secrets") / secret for secret in service["secrets"]}
        given_by_variable = {Path(service["environment"]["PGPASSFILE"])}
        demand(secret_files(config) | given_by_variable == given, f"{name} has other secrets than it is told of")
        for volume in service["volumes"]:
            demand((DEPLOY / volume.split(":")[0]).is_file(), f"{volume} is not there")
        for listener, port in zip(["grpc", "webhooks", "ops"], service["ports"]):
            demand(config[listener]["listen"] == f"0.0.0.0:{port.rsplit(':', 1)[1]}", f"{name} publishes {port}")
    build = services["parloir-1"]["build"]
    demand((DEPLOY / build["context"]).resolve() == ROOT, "the image is not built from the root")
    demand((ROOT / build["dockerfile"]).is_file(), "there is no Dockerfile")


def seconds(text):
    return int(re.fullmatch(r"(\d+)s", text)[1])


# --- the configuration and the image --------------------------------------------------------------------------------


def hard_deadline(config):
    set_to = config.get("shutdown", {}).get("hard_deadline")
    return seconds(set_to) if set_to else HARD_DEADLINE


def secret_files(config):
    """Every `{ file = "/path" }` below."""
    if isinstance(config, list):
        return {path for each in config for path in secret_files(each)}
    if not isinstance(config, dict):
        return set()
    own = {Path(config["file"])} if config.keys() == {"file"} else set()
    return own.union(*(secret_files(each) for each in config.values()))


def parloir_accepts(parloir, text):
    """As `check-config` sees it, with secrets that are there."""
    with tempfile.TemporaryDirectory() as folder:
        for path in secret_files(tomllib.loads(text)):
            place = Path(folder) / path.relative_to("/run/secrets")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(made_up(parloir, path.name))
            place.chmod(0o600)
        file = Path(folder) / "parloir.toml"
        file.write_text(text.replace('"/run/secrets/', f'"{folder}/'))
        # What stands in this environment is nobody's configuration.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PARLOIR")}
        command = [parloir, "check-config", "--config", file]
        run = subprocess.run(command, capture_output=True, text=True, env=environment)
    demand(run.returncode == 0, run.stderr)


def made_up(parloir, name):
    verbs = {"master_key": "new-master-key", "crm_key": "new-key"}
    verb = next((verb for end, verb in verbs.items() if name.endswith(end)), None)
    if verb is None:
        return "a made-up secret of more than sixteen characters\n"
    return subprocess.run([parloir, verb], capture_output=True, text=True, check=True).stdout


def hadolint_accepts(dockerfile):
    command = [Path(sys.executable).parent / "hadolint", "-"]
    run = subprocess.run(command, input=dockerfile, capture_output=True, text=True)
    demand(run.returncode == 0, run.stdout + run.stderr)


# --- planted mistakes -----------------------------------------------------------------------------------------------


def without(tree, *path):
    changed = copy.deepcopy(tree)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return changed


def with_value(tree, value, *path):
    changed = copy.deepcopy(tree)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return changed


def refuses(check, *arguments, because):
    """The check must find the mistake, and say where it is."""
    try:
        check(*arguments)
    except Refused as refused:
        demand(because in str(refused), f"refused for another reason than {because!r}: {refused}")
        return
    raise Refused("the planted mistake was taken")


def main(parloir):
    manifests = rendered()
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    configs = {"compose": DEPLOY / "parloir.toml", "Kubernetes": KUBERNETES / "parloir.toml"}
    deployment = next(i for i, each in enumerate(manifests) if each["kind"] == "Deployment")
    budget = next(i for i, each in enumerate(manifests) if each["kind"] == "PodDisruptionBudget")
    container = (deployment, "spec", "template", "spec", "containers", 0)
    replica = ("services", "parloir-2")

    checks = {
        "Kubernetes takes the manifests": (kubernetes_accepts, manifests),
        "the manifests fit together": (manifests_fit_together, manifests),
        "Compose takes compose.yaml": (compose_accepts, compose),
        "compose.yaml fits together": (compose_fits_together, compose),
        "hadolint takes the Dockerfile": (hadolint_accepts, dockerfile),
    }
    for whose, file in configs.items():
        checks[f"the server takes the configuration of {whose}"] = (parloir_accepts, parloir, file.read_text())

    wrong_probe = with_value(manifests, 50051, *container, "readinessProbe", "grpc", "prot")
    other_service = with_value(manifests, "parloir.v1.Conversation", *container, "readinessProbe", "grpc", "service")
    planted = {
        "a probe with a field that there is not": (kubernetes_accepts, wrong_probe, "prot"),
        "a budget without its form": (kubernetes_accepts, with_value(manifests, "one", budget, "spec", "selector"), "one"),
        "a probe for a service that there is not": (manifests_fit_together, other_service, "the readiness probe asks"),
        "a grace that is too short": (
            manifests_fit_together,
            with_value(manifests, 20, deployment, "spec", "template", "spec", "terminationGracePeriodSeconds"),
            "hard_deadline",
        ),
        "secrets that are mounted elsewhere": (
            manifests_fit_together,
            with_value(manifests, "/run/others", *container, "volumeMounts", 1, "mountPath"),
            "is not mounted",
        ),
        "a key that Compose does not know": (
            compose_accepts,
            with_value(compose, {}, *replica, "healthchek"),
            "healthchek",
        ),
        "a health check of the wrong form": (
            compose_accepts,
            with_value(compose, 3, *replica, "healthcheck", "test"),
            "healthcheck.test",
        ),
        "a secret that is made nowhere": (compose_fits_together, without(compose, "secrets", "crm_key"), "crm_key"),
        "a replica that is killed too early": (
            compose_fits_together,
            with_value(compose, "20s", *replica, "stop_grace_period"),
            "killed too early",
        ),
        "a base image without a version": (hadolint_accepts, dockerfile.replace(":bookworm-slim", ""), "DL3006"),
    }
    mistyped = configs["compose"].read_text().replace("listen =", "lisen =", 1)

    failed = 0
    for name, (check, *arguments) in checks.items():
        failed += not passes(name, check, *arguments)
    for name, (check, argument, because) in planted.items():
        failed += not passes(f"planted: {name}", lambda: refuses(check, argument, because=because))
    failed += not passes(
        "planted: a setting that there is not", lambda: refuses(parloir_accepts, parloir, mistyped, because="lisen")
    )
    print(f"{len(checks) + len(planted) + 1 - failed} passed, {failed} failed")
    return 1 if failed else 0


def passes(name, check, *arguments):
    try:
        check(*arguments)
    except (Refused, KeyError) as refused:
        # A key that another file counts on is not there.
        print(f"{name}: FAILED\n{refused if isinstance(refused, Refused) else f'{refused} is missing'}")
        return False
    print(f"{name}: ok")
    return True


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
