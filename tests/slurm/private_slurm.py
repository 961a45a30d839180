"""A Slurm of two nodes on this machine, for tests: munged, slurmctld and two slurmd with ports, keys, sockets, state and
logs of their own in one temporary folder. Needs root and the Debian packages slurm-wlm and munge.

    with PrivateSlurm() as slurm:
        slurm.run("sbatch", "job.sh")
"""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

NODES = ("wm1", "wm2")
DAEMONS = ("munged", "slurmctld", "slurmd")
SBIN = "/usr/sbin:/sbin:/usr/bin:/bin"
CONFIGURATION = """\
ClusterName=wafermark
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A job that was requeued starts when its old credential has run out (120 s by default).
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
# PMIx keeps a folder of each step here: the nodes must not share it.
TmpFS={folder}/tmp.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000,sched_interval=1
MpiDefault=pmix
ReturnToService=2
# Nodes as large as a site's, whatever this machine is; their GPUs are empty files.
SlurmdParameters=config_overrides
GresTypes=gpu
{nodes}
PartitionName=DEFAULT Nodes=ALL MaxTime=60 State=UP
PartitionName=test Default=YES
{partitions}
"""


def missing():
    """Why no private Slurm can run here, or an empty string."""
    if os.geteuid() != 0:
        return "slurmd needs root"
    absent = [name for name in DAEMONS if not shutil.which(name, path=SBIN)]
    return f"no {', '.join(absent)} (Debian: slurm-wlm, munge)" if absent else ""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class PrivateSlurm:
    """`partitions`: names of further ones, as sites call theirs."""

    def __init__(self, partitions=()):
        self.folder = Path(tempfile.mkdtemp(prefix="wafermark_slurm_"))
        self.folder.chmod(0o755)  # munge refuses folders that others may write to
        self.daemons = []
        controller, *ports = free_ports(1 + len(NODES))
        host = socket.gethostname().split(".")[0]
        nodes = "\n".join(
            f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} Sockets=2 CoresPerSocket=64 ThreadsPerCore=2"
            " Gres=gpu:8 Feature=cpu,gpu RealMemory=1000 State=UNKNOWN"
            for name, port in zip(NODES, ports)
        )
        for name in ("state", *(f"{kind}.{node}" for kind in ("spool", "tmp") for node in NODES)):
            (self.folder / name).mkdir()
        (self.folder / "slurm.conf").write_text(
            CONFIGURATION.format(host=host, controller_port=controller, folder=self.folder, nodes=nodes,
                                 partitions="\n".join(f"PartitionName={p}" for p in partitions))
        )
        for gpu in range(8):
            (self.folder / f"gpu{gpu}").touch()
        (self.folder / "gres.conf").write_text(f"Name=gpu File={self.folder}/gpu[0-7]\n")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM_", "SBATCH_"))}
        self.environment["SLURM_CONF"] = str(self.folder / "slurm.conf")
        self.environment["PATH"] = f"{os.environ.get('PATH', '')}:{SBIN}"

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        self.daemon("munged", "--foreground", f"--key-file={key}", f"--socket={self.folder}/munge.socket",
                    f"--pid-file={self.folder}/munged.pid", f"--log-file={self.folder}/munged.log",
                    f"--seed-file={self.folder}/munge.seed")
        self.wait_for(lambda: (self.folder / "munge.socket").exists(), 20, "munged's socket")
        self.daemon("slurmctld", "-D", "-i")
        self.wait_for(lambda: "UP" in self.run("scontrol", "ping", check=False), 30, "slurmctld")
        for name in NODES:
            self.daemon("slurmd", "-D", "-N", name)
        self.wait_for(lambda: self.run("sinfo", "--noheader", "--partition=test", "--states=idle", "--format=%D").strip() == str(len(NODES)),
                      30, "two idle nodes")

    def daemon(self, *command):
        log = open(self.folder / f"{command[0]}.{len(self.daemons)}.out", "w")
        self.daemons.append(subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
                                             stderr=subprocess.STDOUT, start_new_session=True))

    def wait_for(self, condition, seconds, what):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"waited {seconds} s for {what}\n{self.logs()}")
            time.sleep(0.1)

    def run(self, *command, check=True, **more):
        """Standard output of one of Slurm's commands, or of anything in its environment."""
        done = subprocess.run(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, **more)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))}: exit code {done.returncode}: {done.stdout}")
        return done.stdout

    def job(self, job):
        """The fields of `scontrol show job`."""
        words = self.run("scontrol", "--oneliner", "show", "job", str(job)).split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def logs(self):
        return "\n".join(f"-- {p.name}\n{''.join(p.read_text(errors='replace').splitlines(True)[-25:])}"
                         for p in sorted(self.folder.glob("*.log")))

    def stop(self):
        """Ends the jobs and the daemons, in the reverse order of their start, and removes the folder."""
        if len(self.daemons) > 1:
            self.run("scancel", "--full", "--signal=KILL", "--user=root", check=False)
            self.run("scancel", "--user=root", check=False)
            end = time.monotonic() + 10
            while self.run("squeue", "--noheader", check=False).strip() and time.monotonic() < end:
                time.sleep(0.2)
        for daemon in reversed(self.daemons):
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
