"""Four network namespaces of this machine, one a rank, joined by a bridge: Open MPI runs over real TCP between them, at a
rate (and, where the kernel has netem, a delay) of one's choice. Needs root (CAP_NET_ADMIN); everything goes when the block
ends."""
import contextlib
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

NAMES = "wafermark"
ADDRESS = "10.77.0.{}"
ECHO = """
import socket, sys
listener = socket.create_server((sys.argv[1], 7777))
peer, _ = listener.accept()
peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
while word := peer.recv(1):
    peer.sendall(word)
"""
PING = """
import socket, statistics, sys, time
for attempt in range(100):
    try:
        peer = socket.create_connection((sys.argv[1], 7777))
        break
    except ConnectionRefusedError:
        time.sleep(0.05)
peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
times = []
for turn in range(1000):
    start = time.perf_counter()
    peer.sendall(b"x")
    peer.recv(1)
    times.append(time.perf_counter() - start)
print(1e6 * statistics.median(times))
"""


def call(*words, check=True):
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if check and done.returncode:
        sys.exit(f"{Path(sys.argv[0]).stem}: {' '.join(map(str, words))}: {done.stderr.strip() or done.stdout.strip()}")
    return done


class Network:
    """Namespaces of ranks 1 to `ranks`, and one that holds the bridge."""

    def __init__(self, ranks):
        self.ranks = ranks
        self.prefix = f"{NAMES}{os.getpid()}"
        self.agent = None

    def name(self, k):
        return f"{self.prefix}-{k}"

    def inside(self, k, *words, check=True):
        return call("ip", "netns", "exec", self.name(k), *words, check=check)

    def build(self):
        for k in range(self.ranks + 1):
            call("ip", "netns", "add", self.name(k))
            self.inside(k, "ip", "link", "set", "lo", "up")
        self.inside(0, "ip", "link", "add", "name", "bridge", "type", "bridge")
        self.inside(0, "ip", "link", "set", "bridge", "up")
        for k in range(1, self.ranks + 1):
            call("ip", "link", "add", "net0", "netns", self.name(k), "type", "veth", "peer", "name", f"port{k}",
                 "netns", self.name(0))
            self.inside(k, "ip", "address", "add", ADDRESS.format(k) + "/24", "dev", "net0")
            self.inside(k, "ip", "link", "set", "net0", "up")
            self.inside(0, "ip", "link", "set", f"port{k}", "master", "bridge")
            self.inside(0, "ip", "link", "set", f"port{k}", "up")

    def has_netem(self):
        found = self.inside(1, "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms", check=False).returncode == 0
        if found:
            self.inside(1, "tc", "qdisc", "del", "dev", "lo", "root")
        return found

    def ends(self):
        """(namespace, device) of either end of each rank's link."""
        return [end for k in range(1, self.ranks + 1) for end in ((k, "net0"), (0, f"port{k}"))]

    def free(self):
        for where, device in self.ends():
            self.inside(where, "tc", "qdisc", "del", "dev", device, "root", check=False)

    def shape(self, megabits, delay_us):
        """Each rank's link, in both directions: a rate, and half the delay at either end of a path."""
        self.free()
        if delay_us:
            words = ("netem", "delay", f"{delay_us / 2:g}us", "rate", f"{megabits}mbit", "limit", "100000")
        else:
            words = ("tbf", "rate", f"{megabits}mbit", "burst", "16kb", "limit", "16mb")
        for where, device in self.ends():
            self.inside(where, "tc", "qdisc", "add", "dev", device, "root", *words)

    def round_trip_us(self):
        """The median of a thousand bytes sent to and fro between two ranks over TCP."""
        server = subprocess.Popen(["ip", "netns", "exec", self.name(2), sys.executable, "-c", ECHO, ADDRESS.format(2)])
        try:
            return float(self.inside(1, sys.executable, "-c", PING, ADDRESS.format(2)).stdout)
        finally:
            server.wait(timeout=60)

    def mpirun(self, ranks, *words):
        """`words` on so many ranks, each in a namespace of its own; (exit code, what it said)."""
        hosts = ",".join(f"{ADDRESS.format(k)}:1" for k in range(1, ranks + 1))
        network = ADDRESS.format(0) + "/24"
        done = self.inside(
            1, "unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', self.name(1),
            "mpirun", "--allow-run-as-root", "-np", ranks, "--host", hosts, "--bind-to", "none", "--mca", "plm_rsh_agent", self.agent,
            "--mca", "pml", "ob1", "--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", network,
            "--mca", "oob_tcp_if_include", network, "--mca", "mpi_yield_when_idle", "1", "-x", "OMP_NUM_THREADS=1", *words, check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def write_agent(self, folder):
        """What mpirun starts its daemons with, in place of ssh: HOST COMMAND... in the namespace of that address, under a
        host name of its own, or Open MPI would take all for one machine."""
        self.agent = Path(folder) / "agent"
        self.agent.write_text(
            "#!/bin/sh\n"
            f'host=$1; shift; name={self.prefix}-${{host##*.}}\n'
            'exec ip netns exec "$name" unshare --uts sh -c "hostname $name && $*"\n'
        )
        self.agent.chmod(self.agent.stat().st_mode | stat.S_IXUSR)

    def remove(self):
        for k in range(self.ranks + 1):
            call("ip", "netns", "del", self.name(k), check=False)


@contextlib.contextmanager
def network(ranks):
    net = Network(ranks)
    with tempfile.TemporaryDirectory(prefix="wafermark-network-") as folder:
        try:
            net.build()
            net.write_agent(folder)
            yield net
        finally:
            net.remove()
