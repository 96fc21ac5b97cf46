#!/usr/bin/env python3
"""What `docker compose config` does not see: the compose files as a system.

    scripts/check-compose.py               the files of this repository, each profile alone and both at once
    scripts/check-compose.py --images      also asks the images themselves for the commands of health checks (needs Docker)
    scripts/check-compose.py --self-test   plants mistakes, one at a time, and wants each of them found

Looks at: ports of the host, names that one network gives twice, dependencies, volumes, networks, files that are mounted, commands of health
checks, who holds Docker's socket, who reaches the database, secrets in the open, and whether every target of prometheus.yml and every
address of alertmanager/config.yml is the name of a service that can be reached from where it is asked. Needs PyYAML.
"""
import copy
import os
import re
import subprocess
import sys

try:
    import yaml
except ImportError:
    sys.exit("check-compose: needs python3-yaml")

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROFILES = {
    "minimal": (["compose-minimal.yml"], {}),
    "full": (["docker-compose.yml"], {}),
    "both": (["docker-compose.yml", "compose-minimal.yml"], {"MINPROM_PORT_PREFIX": "1"}),
}
# What must be there under the names of the mission.
WANTED = {
    "minimal": {"api", "postgres_db", "worker", "postgres_exporter", "minprom", "alert_bot"},
    "full": {"api", "postgres_db", "worker", "postgres_exporter", "node_exporter", "blackbox_exporter", "prometheus", "alertmanager",
             "grafana", "alert_bot"},
}
WANTED["both"] = WANTED["minimal"] | WANTED["full"]
CONTAINERS = {"api": "flask_api", "alert_bot": "alert_bot"}
# Programs that images are known to have; the repository's own by their Dockerfile stage.
PROGRAMS = {
    "minprom": {"minprom"}, "minprom-demo": {"minprom-demo"}, "postgres": {"pg_isready", "psql"}, "prom/prometheus": {"promtool", "wget"},
    "prom/alertmanager": {"amtool", "wget"}, "grafana/grafana": {"wget", "curl"},
}
SERVER = {"minimal": ["minprom"], "full": ["prometheus", "alertmanager"], "both": ["minprom", "prometheus", "alertmanager"]}
DATABASE_USERS = {"db_proxy", "postgres_db", "api", "worker", "postgres_exporter"}
SOCKET_HOLDERS = {"docker_proxy"}


# --- reading


def load(name):
    with open(os.path.join(ROOT, name)) as file:
        return yaml.safe_load(file)


def interpolated(value, environment):
    """${NAME:-default} and the like, in all texts."""
    if isinstance(value, dict):
        return {key: interpolated(item, environment) for key, item in value.items()}
    if isinstance(value, list):
        return [interpolated(item, environment) for item in value]
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)(?::?-([^}]*))?\}", lambda m: environment.get(m[1]) or m[2] or "", value)
    return value


def mapping(value):
    """`networks: [a]` is `networks: {a: }`; `environment: [A=b]` is a mapping, too."""
    if isinstance(value, list):
        return {item.split("=", 1)[0]: (item.split("=", 1)[1] if "=" in item else None) for item in value}
    return dict(value or {})


def merged(base, over):
    """As Compose merges two definitions of a service."""
    result = copy.deepcopy(base)
    for key, value in over.items():
        if key in ("networks", "environment", "depends_on", "labels"):
            result[key] = {**mapping(result.get(key)), **mapping(value)}
        elif key in ("ports", "volumes", "cap_drop", "cap_add", "profiles"):
            result[key] = result.get(key, []) + [item for item in value if item not in result.get(key, [])]
        elif key in ("healthcheck", "build") and isinstance(value, dict):
            result[key] = {**result.get(key, {}), **value}
        else:
            result[key] = value
    return result


def read(documents, profile):
    files, environment = PROFILES[profile]
    services, volumes, networks = {}, {}, {}
    for name in files:
        document = documents[name]
        volumes |= document.get("volumes") or {}
        networks |= document.get("networks") or {}
        for service, body in document["services"].items():
            body = dict(body)
            extends = body.pop("extends", None)
            if extends:
                base = documents[extends["file"]]["services"].get(extends["service"])
                if base is None:
                    raise KeyError(f"{name}: {service} extends {extends['service']}, which {extends['file']} has not")
                body = merged(base, body)
            services[service] = merged(services.get(service, {}), body)
    return interpolated(services, environment), volumes, networks


# --- looking


class Findings(list):
    def want(self, holds, text):
        if not holds:
            self.append(text)


def image_name(body):
    image = body.get("image", "")
    return image.rsplit(":", 1)[0] if ":" in image.rsplit("/", 1)[-1] else image


def names_on(services, network):
    """Every name that a network gives, and the services that answer to it."""
    names = {}
    for service, body in services.items():
        joined = mapping(body.get("networks"))
        if network in joined:
            own = {service, body.get("container_name", service), *((joined[network] or {}).get("aliases", []))}
            for name in own:
                names.setdefault(name, set()).add(service)
    return names


def reachable(services, service):
    names = {service, "localhost"}
    for network in mapping(services[service].get("networks")):
        names |= set(names_on(services, network))
    return names


def addresses(documents):
    """host names that prometheus.yml and alertmanager/config.yml speak of"""
    prometheus, alertmanager = documents["prometheus/prometheus.yml"], documents["alertmanager/config.yml"]
    asked = {"prometheus": set(), "alertmanager": set()}
    for job in prometheus["scrape_configs"]:
        replaced = [r["replacement"] for r in job.get("relabel_configs", []) if r.get("target_label") == "__address__"]
        for group in job["static_configs"]:
            asked["prometheus"] |= set(replaced or group["targets"])
    for entry in prometheus["alerting"]["alertmanagers"]:
        for group in entry["static_configs"]:
            asked["prometheus"] |= set(group["targets"])
    for receiver in alertmanager["receivers"]:
        for webhook in receiver.get("webhook_configs", []):
            asked["alertmanager"].add(re.sub(r"^\w+://([^/]+).*", r"\1", webhook["url"]))
    return asked


def check(documents, profile, exists=os.path.exists):
    found = Findings()
    try:
        services, volumes, networks = read(documents, profile)
    except KeyError as error:
        return [str(error)]

    found.want(WANTED[profile] <= set(services), f"missing services: {sorted(WANTED[profile] - set(services))}")
    for service, name in CONTAINERS.items():
        found.want(services.get(service, {}).get("container_name") == name, f"{service}: container_name is not {name}")

    ports = {}
    used_volumes, used_networks = set(), set()
    for service, body in services.items():
        for port in body.get("ports", []):
            host = str(port).rsplit(":", 2)[-2] if ":" in str(port) else None
            found.want(host is not None and str(port).startswith("127.0.0.1:"), f"{service}: port {port} is open to the network around")
            ports.setdefault(host, set()).add(service)

        for other, condition in mapping(body.get("depends_on")).items():
            if other not in services:
                found.append(f"{service}: depends on {other}, which is not there")
                continue
            condition = (condition or {}).get("condition", "service_started")
            if condition == "service_healthy":
                found.want("healthcheck" in services[other], f"{service}: waits for the health of {other}, which has no health check")
            if condition == "service_completed_successfully":
                found.want(services[other].get("restart") == "no", f"{service}: waits for the end of {other}, which is started again")

        for network in mapping(body.get("networks")):
            used_networks.add(network)
            found.want(network in networks, f"{service}: network {network} is not declared")
        for volume in body.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                found.want(exists(os.path.join(ROOT, source)), f"{service}: {source} is not there")
            elif source.startswith("/"):
                if source.endswith("docker.sock"):
                    found.want(service in SOCKET_HOLDERS, f"{service}: holds Docker's socket")
                found.want(source.endswith("docker.sock") or volume.endswith(":ro"), f"{service}: may write to {source} of the host")
            else:
                used_volumes.add(source)
                found.want(source in volumes, f"{service}: volume {source} is not declared")

        image, test = image_name(body), (body.get("healthcheck") or {}).get("test")
        found.want(bool(image), f"{service}: no image")
        if image in ("minprom", "minprom-demo"):
            stage = (body.get("build") or {}).get("target")
            found.want(stage == image, f"{service}: image {image} is built from stage {stage}")
            found.want(re.search(rf"^FROM .* AS {image}$", documents["Dockerfile"], re.M), f"Dockerfile has no stage {image}")
            found.want("user" not in body or service in SOCKET_HOLDERS, f"{service}: runs as {body.get('user')}")
            found.want(body.get("read_only") is True and body.get("cap_drop") == ["ALL"], f"{service}: may write to its image or has capabilities")
        else:
            found.want(not body["image"].endswith(":latest") and ":" in body["image"], f"{service}: image {body['image']} is of no version")
        if test:
            command = test[1] if test[0] == "CMD" else None
            found.want(command in PROGRAMS.get(image, ()), f"{service}: {image} has no {command} for its health check")

        for name, value in mapping(body.get("environment")).items():
            if re.search(r"PASSWORD|TOKEN|SECRET|PASS\b", name) and not name.endswith("_FILE") and service != "grafana":
                found.append(f"{service}: {name} is in the open")
            if name.endswith("_FILE"):
                kept = re.sub(r"^/?(minprom/)?", "", str(value))
                held = [v for v in body.get("volumes", []) if v.split(":")[1].endswith(os.path.dirname(kept))]
                found.want(held, f"{service}: {name} is {value}, where no volume is")
        found.want(body.get("restart") in ("unless-stopped", "always", "no"), f"{service}: restart is {body.get('restart')}")

    for port, owners in ports.items():
        found.want(len(owners) == 1, f"port {port} of the host is published by {sorted(owners)}")
    for network in networks:
        for name, owners in names_on(services, network).items():
            found.want(len(owners) == 1, f"network {network}: {name} is {sorted(owners)}")
        found.want(network in used_networks, f"network {network} is used by nobody")
    for volume in volumes:
        found.want(volume in used_volumes, f"volume {volume} is used by nobody")

    on_database = {service for service, body in services.items() if "database" in mapping(body.get("networks"))}
    found.want(on_database == DATABASE_USERS, f"network database has {sorted(on_database ^ DATABASE_USERS)} too much or too little")
    found.want((networks.get("database") or {}).get("internal") is True, "network database is not internal")

    asked = addresses(documents)
    for service in SERVER[profile]:
        if service not in services:
            continue
        kinds = ["prometheus", "alertmanager"] if service == "minprom" else [service]
        names = reachable(services, service)
        for kind in kinds:
            for address in asked[kind]:
                found.want(address.rsplit(":", 1)[0] in names, f"{service}: {address} cannot be reached from it")
    return list(found)


def documents():
    names = ["compose-shared.yml", "compose-minimal.yml", "docker-compose.yml", "prometheus/prometheus.yml", "alertmanager/config.yml"]
    result = {name: load(name) for name in names}
    with open(os.path.join(ROOT, "Dockerfile")) as file:
        result["Dockerfile"] = file.read()
    return result


def images(files):
    """Asks each image for the command of its health check."""
    found = []
    for profile in ("minimal", "full"):
        services, _, _ = read(files, profile)
        for service, body in services.items():
            test = (body.get("healthcheck") or {}).get("test")
            if not test or subprocess.run(["docker", "image", "inspect", body["image"]], capture_output=True).returncode:
                continue
            asked = subprocess.run(["docker", "run", "--rm", "--entrypoint", "sh", body["image"], "-c", f"command -v {test[1]}"], capture_output=True)
            print(f"{profile}: {service}: {body['image']} {test[1]}: {'there' if asked.returncode == 0 else 'NOT THERE'}")
            if asked.returncode:
                found.append(f"{service}: no {test[1]} in {body['image']}")
    return found


# --- mistakes, one at a time


def mistakes():
    def at(file, service, key, change):
        def plant(files):
            body = files[file]["services"][service]
            body[key] = change(copy.deepcopy(body.get(key)))
        return plant

    shared, minimal, full = "compose-shared.yml", "compose-minimal.yml", "docker-compose.yml"
    yield "publishes the same port twice", "full", at(full, "grafana", "ports", lambda _: ["127.0.0.1:9090:3000"])
    yield "open to the network", "full", at(full, "grafana", "ports", lambda _: ["3000:3000"])
    yield "depends on nobody", "minimal", at(minimal, "minprom", "depends_on", lambda _: ["nobody"])
    yield "waits for health that is not checked", "full", at(full, "grafana", "depends_on", lambda _: {"node_exporter": {"condition": "service_healthy"}})
    yield "socket in the bot", "minimal", at(shared, "alert_bot", "volumes", lambda v: v + ["/var/run/docker.sock:/var/run/docker.sock"])
    yield "undeclared volume", "full", at(full, "prometheus", "volumes", lambda v: v + ["elsewhere:/x"])
    yield "undeclared network", "full", at(full, "prometheus", "networks", lambda v: v + ["elsewhere"])
    yield "file that is not there", "minimal", at(minimal, "minprom", "volumes", lambda v: v + ["./nowhere:/x:ro"])
    yield "health check without its program", "full", at(full, "alertmanager", "healthcheck", lambda _: {"test": ["CMD", "curl", "x"]})
    yield "database for everybody", "full", at(full, "grafana", "networks", lambda v: v + ["database"])
    yield "two answers to one name", "both", at(minimal, "minprom", "networks", lambda v: {**v, "full": {"aliases": ["prometheus"]}})
    yield "target that cannot be reached", "minimal", at(minimal, "minprom", "networks", lambda _: {"minimal": {"aliases": ["prometheus"]}, "grafana": {}})
    yield "password in the open", "minimal", at(shared, "api", "environment", lambda e: {**e, "PGPASSWORD": "demo"})
    yield "image of no version", "full", at(full, "grafana", "image", lambda _: "grafana/grafana:latest")
    yield "root", "minimal", at(shared, "worker", "user", lambda _: "0")
    yield "extends nobody", "minimal", at(minimal, "api", "extends", lambda _: {"file": shared, "service": "nobody"})


def main():
    files = documents()
    if "--self-test" in sys.argv:
        missed = []
        for name, profile, plant in mistakes():
            planted = copy.deepcopy(files)
            plant(planted)
            new = set(check(planted, profile)) - set(check(files, profile))
            print(f"{'found ' if new else 'MISSED'} {name}: {'; '.join(sorted(new))}")
            missed += [] if new else [name]
        return 1 if missed else 0
    found = [f"{profile}: {text}" for profile in PROFILES for text in check(files, profile)]
    if "--images" in sys.argv:
        found += images(files)
    for text in found:
        print(f"check-compose: {text}")
    return 1 if found else 0


sys.exit(main())
