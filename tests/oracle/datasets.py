"""The generated data the oracle's queries run over: machines, pods, services, probes, oddities."""

from collections.abc import Iterator

import numpy as np

from tests.oracle.series import Dataset, Scrape, SeriesData, Span, Target

END = 1_767_614_400_000  # 2026-01-05T12:00:00Z
HOURS = 6
START = END - HOURS * 3_600_000
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_WAITS = (1e-06, 1e-05, 0.0001, 0.001, 0.01, 0.1, 1.0, 10.0)
_MODES = {
    "idle": 0.82,
    "user": 0.09,
    "system": 0.05,
    "iowait": 0.02,
    "irq": 0.004,
    "softirq": 0.006,
    "nice": 0.001,
    "steal": 0.009,
}


def everyday() -> Dataset:
    """Six hours at 15 s: several hundred series with resets, gaps, markers, NaN and Unicode."""
    scrape = Scrape(START, END)
    return Dataset(tuple(sorted(_series(scrape), key=_by_labels)), START, END)


def _by_labels(series: SeriesData) -> list[tuple[str, str]]:
    """A store hands series out in the order it met them; met sorted, sums run in label order."""
    return sorted(series.labels.items())


def _series(scrape: Scrape) -> Iterator[SeriesData]:
    for build in (_nodes, _pods, _services, _probes, _storage, _remote_write, _oddities):
        for target in build(scrape):
            yield from target.series


def _nodes(scrape: Scrape) -> Iterator[Target]:
    down = {"node-b:9100": [Span(131, 137), Span(300, 300.5)]}
    lost = {"node-c:9100": [Span(200, 219)]}
    for number, instance in enumerate(["node-a:9100", "node-b:9100", "node-c:9100"]):
        labels = {"job": "node", "instance": instance, "cluster": "prod"}
        target = Target(scrape, labels, down.get(instance, ()), lost.get(instance, ()))
        _processor(target)
        _memory(target, number)
        _disks(target, number)
        _hardware(target, number)
        yield target


def _processor(target: Target) -> None:
    for cpu in map(str, range(4)):
        for mode, share in _MODES.items():
            target.counter("node_cpu_seconds_total", {"cpu": cpu, "mode": mode}, share)
        target.counter("node_cpu_guest_seconds_total", {"cpu": cpu, "mode": "user"}, 0.001)
        target.gauge(
            "node_cpu_scaling_frequency_hertz",
            {"cpu": cpu},
            2.4e9,
            8e8,
            1e7,
            digits=0,
        )
    for name, level in (("node_load1", 1.2), ("node_load5", 1.1), ("node_load15", 1.0)):
        target.gauge(name, {}, level, 0.6, 0.1, digits=2)
    target.counter("node_pressure_cpu_waiting_seconds_total", {}, 0.03)
    target.counter("node_context_switches_total", {}, 4300, whole=True)
    target.counter("node_intr_total", {}, 2100, whole=True)


def _memory(target: Target, number: int) -> None:
    total = float(16 + 16 * number) * 2**30
    target.gauge("node_memory_MemTotal_bytes", {}, total, digits=0)
    target.gauge(
        "node_memory_MemAvailable_bytes", {}, total * 0.6, total / 9, total / 200, digits=-3
    )
    target.gauge("node_memory_MemFree_bytes", {}, total * 0.2, total / 20, total / 300, digits=-3)
    target.gauge("node_memory_Buffers_bytes", {}, total * 0.01, total / 900, digits=-3)
    target.gauge("node_memory_Cached_bytes", {}, total * 0.3, total / 20, digits=-3)
    swap = 0.0 if number == 2 else 4.0 * 2**30
    target.gauge("node_memory_SwapTotal_bytes", {}, swap, digits=0)
    target.gauge("node_memory_SwapFree_bytes", {}, swap * 0.9, swap / 20, digits=-3)


def _disks(target: Target, number: int) -> None:
    mounts = [("/dev/sda1", "ext4", "/"), ("/dev/sda2", "xfs", "/var"), ("tmpfs", "tmpfs", "/run")]
    for device, kind, mount in mounts:
        labels = {"device": device, "fstype": kind, "mountpoint": mount}
        size = 1e11 if kind != "tmpfs" else 1.6e9
        target.gauge("node_filesystem_size_bytes", labels, size, digits=0)
        target.gauge("node_filesystem_avail_bytes", labels, size * 0.5, size / 10, size / 500, 0)
        target.gauge("node_filesystem_readonly", labels, 0.0)
    for device in ("sda", "nvme0n1"):
        target.counter("node_disk_read_bytes_total", {"device": device}, 3e5, whole=True)
        target.counter("node_disk_written_bytes_total", {"device": device}, 9e5, whole=True)
        target.counter("node_disk_reads_completed_total", {"device": device}, 20, whole=True)
        target.counter("node_disk_read_time_seconds_total", {"device": device}, 0.06)
        target.counter("node_disk_io_time_seconds_total", {"device": device}, 0.2)
    for device in ("eth0", "lo", "docker0"):
        up = Span(40, 250) if device == "docker0" and number == 0 else None
        for way in ("receive", "transmit"):
            base = f"node_network_{way}"
            target.counter(f"{base}_bytes_total", {"device": device}, 8e4, whole=True, alive=up)
            target.counter(f"{base}_errs_total", {"device": device}, 0.001, whole=True, alive=up)


def _hardware(target: Target, number: int) -> None:
    for chip, name in (("platform_coretemp_0", "coretemp"), ("nvme_nvme0", "nvme")):
        for sensor in ("temp1", "temp2"):
            labels = {"chip": chip, "sensor": sensor}
            target.gauge("node_hwmon_temp_celsius", labels, 48, 9, 1, digits=0)
        target.info("node_hwmon_chip_names", {"chip": chip, "chip_name": name})
    nodename = ("höst-α", "サーバー", "node-c")[number]
    target.info(
        "node_uname_info", {"nodename": nodename, "release": f"6.1.{number}", "sysname": "Linux"}
    )
    target.info("target_info", {"service_version": f"1.{number}.0", "host_arch": "amd64"})
    target.started("node_boot_time_seconds")
    target.started("process_start_time_seconds")
    target.gauge("node_timex_offset_seconds", {}, 0.0, 2e-05, 1e-06, digits=9)
    target.gauge("node_procs_running", {}, 3, 2, 1, digits=0)


_PODS = [
    ("shop", "cart-7d9f-aaaaa", "cart", "Deployment", None),
    ("shop", "cart-7d9f-bbbbb", "cart", "Deployment", Span(0, 190)),
    ("shop", "cart-8e1a-ccccc", "cart", "Deployment", Span(185, 361)),
    ("shop", "db-0", "db", "StatefulSet", None),
    ("monitoring", "prometheus-0", "prometheus", "StatefulSet", None),
    ("monitoring", "node-exporter-x", "node-exporter", "DaemonSet", None),
    ("überwachung", "café-ポッド", "café", "Deployment", Span(60, 361)),
]


def _pods(scrape: Scrape) -> Iterator[Target]:
    kubelet = Target(scrape, {"job": "kubelet", "instance": "10.0.0.7:10250", "cluster": "prod"})
    state = Target(scrape, {"job": "kube-state-metrics", "instance": "10.0.1.9:8080"})
    for order, (namespace, pod, workload, kind, alive) in enumerate(_PODS):
        labels = {"namespace": namespace, "pod": pod}
        _containers(kubelet, labels, alive)
        _pod_state(state, labels, workload, kind, order, alive)
    state.gauge(
        "kube_resourcequota", {"namespace": "shop", "type": "hard", "resource": "limits.cpu"}, 8
    )
    state.gauge(
        "kube_resourcequota", {"namespace": "shop", "type": "used", "resource": "limits.cpu"}, 3, 2
    )
    for node in ("a", "b", "c"):
        state.gauge("machine_cpu_cores", {"node": f"node-{node}"}, 4)
    yield kubelet
    yield state


def _containers(kubelet: Target, pod: dict[str, str], alive: Span | None) -> None:
    for container in ("app", "sidecar"):
        labels = {**pod, "container": container, "metrics_path": "/metrics/cadvisor"}
        cpu = 0.3 if container == "app" else 0.01
        kubelet.counter("container_cpu_usage_seconds_total", labels, cpu, alive=alive)
        kubelet.gauge(
            "container_memory_working_set_bytes",
            labels,
            3e8,
            5e7,
            1e6,
            -3,
            alive=alive,
        )
        kubelet.counter("container_cpu_cfs_periods_total", labels, 10, whole=True, alive=alive)
        kubelet.counter(
            "container_cpu_cfs_throttled_periods_total", labels, 0.4, whole=True, alive=alive
        )
        for device in ("/dev/sda", "/dev/nvme0n1"):
            kubelet.counter(
                "container_fs_reads_total", {**labels, "device": device}, 2, whole=True, alive=alive
            )
    for way in ("receive", "transmit"):
        name = f"container_network_{way}_bytes_total"
        kubelet.counter(name, {**pod, "interface": "eth0"}, 5e4, whole=True, alive=alive)


def _pod_state(
    state: Target, pod: dict[str, str], workload: str, kind: str, order: int, alive: Span | None
) -> None:
    labels = {**pod, "cluster": "prod"}
    node = f"node-{'abc'[order % 3]}"
    network = "true" if kind == "DaemonSet" else "false"
    state.info("kube_pod_info", {**labels, "host_network": network, "node": node}, alive)
    state.info(
        "namespace_workload_pod:kube_pod_owner:relabel",
        {**labels, "workload": workload, "workload_type": kind.lower()},
        alive,
    )
    for phase in ("Running", "Pending"):
        state.gauge("kube_pod_status_phase", {**pod, "phase": phase}, float(phase == "Running"))
    for resource, amount in (("cpu", 0.25), ("memory", 2.0**28)):
        state.gauge(
            "kube_pod_container_resource_requests",
            {**pod, "resource": resource, "container": "app"},
            amount,
            alive=alive,
        )


def _services(scrape: Scrape) -> Iterator[Target]:
    for instance in ("api-1:8080", "api-2:8080"):
        down = [Span(88, 89), Span(240, 246)] if instance == "api-2:8080" else ()
        target = Target(scrape, {"job": "api", "instance": instance, "env": "prod"}, down)
        for handler in ("/", "/cart", "/größe"):
            for method, code, rate in (
                ("GET", "200", 9),
                ("GET", "404", 0.2),
                ("POST", "500", 0.02),
            ):
                labels = {"handler": handler, "method": method, "code": code}
                target.counter("http_requests_total", labels, rate, whole=True)
            target.histogram(
                "http_request_duration_seconds", {"handler": handler}, _SECONDS, 9, 0.08
            )
        target.info("target_info", {"service_version": "2.3.1", "k8s_cluster_name": "prod-eu"})
        target.started("process_start_time_seconds")
        target.gauge("go_goroutines", {}, 120, 60, 15, digits=0)
        target.counter("process_cpu_seconds_total", {}, 0.4)
        target.gauge("process_resident_memory_bytes", {}, 2e8, 4e7, 1e6, digits=-3)
        yield target
    apiserver = Target(scrape, {"job": "apiserver", "instance": "10.0.0.1:6443", "cluster": "prod"})
    for name in ("garbage_collector", "endpoint"):
        apiserver.histogram("workqueue_queue_duration_seconds", {"name": name}, _WAITS, 3, 0.0005)
    for quantile, level in (("0.5", 0.02), ("0.99", 0.3)):
        name = "cluster_quantile:apiserver_request_sli_duration_seconds:histogram_quantile"
        apiserver.gauge(name, {"quantile": quantile, "verb": "read"}, level, level / 5)
    apiserver.counter("etcd_server_leader_changes_seen_total", {}, 0.0003, whole=True)
    yield apiserver


def _probes(scrape: Scrape) -> Iterator[Target]:
    sites = [("https://example.com/", 200.0), ("https://münchen.example/straße", 404.0)]
    for site, status in sites:
        target = Target(scrape, {"job": "blackbox", "instance": site})
        flap = (np.sin(target.minutes / 13) > -0.95).astype(np.float64)
        target.add("probe_success", {}, flap if status == 200 else np.ones_like(flap))
        target.gauge("probe_http_status_code", {}, status)
        target.gauge("probe_ssl_earliest_cert_expiry", {}, END / 1000 + 40 * 86400, digits=0)
        for phase in ("resolve", "connect", "tls", "processing", "transfer"):
            target.gauge(
                "probe_http_duration_seconds", {"phase": phase}, 0.05, 0.02, 0.001, digits=9
            )
        yield target


def _storage(scrape: Scrape) -> Iterator[Target]:
    target = Target(scrape, {"job": "ceph", "instance": "mgr:9283", "cluster": "prod"})
    target.gauge("ceph_health_status", {}, 0)
    for number in range(3):
        pool = {"pool_id": str(number)}
        target.gauge("ceph_pool_objects", pool, 5e4 * (number + 1), 900, 30, digits=0)
        target.counter("ceph_pool_rd", pool, 40.0 * (number + 1), whole=True)
        target.info("ceph_pool_metadata", {**pool, "name": f"pool-{'αβγ'[number]}"})
        target.info("ceph_osd_metadata", {"ceph_daemon": f"osd.{number}", "device_class": "ssd"})
        image = {"image": f"vm-{number}", "pool": "rbd"}
        target.counter("ceph_rbd_write_ops", image, 12, whole=True)
        target.counter("ceph_rbd_read_ops", image, 30, whole=True)
    target.counter("ceph_cluster_total_used_bytes", {}, 2e5, whole=True)
    yield target


def _remote_write(scrape: Scrape) -> Iterator[Target]:
    target = Target(scrape, {"job": "prometheus", "instance": "prom:9090"})
    remote = {"remote_name": "r1", "url": "store"}
    target.counter("prometheus_remote_storage_samples_in_total", {}, 700, whole=True)
    target.counter("prometheus_remote_storage_succeeded_samples_total", remote, 690, True, None)
    target.counter("prometheus_remote_storage_dropped_samples_total", remote, 0.2, True, None)
    target.gauge("prometheus_remote_storage_samples_pending", remote, 40, 20, 5, digits=0)
    for condition, status in (("True", 1.0), ("False", 0.0)):
        labels = {"name": "wild", "namespace": "shop", "exported_namespace": "shop-eu"}
        name = "certmanager_certificate_ready_status"
        target.gauge(name, {**labels, "condition": condition}, status)
    yield target


def _oddities(scrape: Scrape) -> Iterator[Target]:
    target = Target(scrape, {"job": "odd", "instance": "odd:1"})
    minutes = target.minutes
    target.add("odd_value", {"kind": "nan"}, np.where(np.sin(minutes) > 0.5, np.nan, minutes))
    target.add("odd_value", {"kind": "inf"}, np.where(np.sin(minutes / 3) > 0, np.inf, -minutes))
    target.add("odd_value", {"kind": "all nan"}, np.full_like(minutes, np.nan))
    target.add("odd_value", {"kind": "denormal"}, 1e-310 * (1 + minutes))
    target.add("odd_value", {"kind": "huge"}, 1.7e308 * np.cos(minutes / 60))
    target.add("odd_value", {"kind": "zero"}, np.where(minutes < 180, -0.0, 0.0))
    target.add("odd_value", {"kind": 'quote " slash \\ line \n tab \t 😀'}, minutes / 3)
    target.add("odd_value", {"kind": "short"}, np.round(minutes) * 0.1, alive=Span(10, 12))
    target.add("odd_value", {"kind": "late"}, np.round(minutes) * 0.1, alive=Span(340, 358))
    for number in range(4):
        gaps = np.sin(minutes / (5 + number)) > 0.6
        target.add("odd_gappy", {"number": str(number)}, np.where(gaps, np.nan, minutes * number))
    yield target
    sparse = Target(Scrape(START, END, interval=240000), {"job": "sparse", "instance": "s:1"})
    sparse.gauge("sparse_gauge", {}, 10, 5, 1, digits=3)
    sparse.counter("sparse_total", {}, 0.5, whole=True)
    yield sparse
