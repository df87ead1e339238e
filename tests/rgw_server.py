"""A real S3 server that enforces everything: a Ceph of one monitor, one disk in memory and one gateway.

On Debian and Ubuntu: apt-get install --no-install-recommends ceph-mon ceph-osd radosgw ceph-common
"""

import contextlib
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

from s3_servers import ACCESS_KEY, SECRET_KEY, S3Server, free_port, wait_for_answer

PROGRAMS = ("ceph-authtool", "monmaptool", "ceph-mon", "ceph", "ceph-osd", "radosgw", "radosgw-admin")
STEP_S = 60
MEMORY = 1 << 30

CONFIGURATION = """\
[global]
fsid = {fsid}
mon host = {monitor}
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
keyring = {folder}/keyring
run dir = {folder}/run
admin socket = {folder}/run/$name.$pid.asok
log file = {folder}/$name.log
[mon]
mon data = {folder}/mon
mon data avail crit = 1
mon cluster log file = {folder}/cluster.log
[osd]
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = {memory}
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{web} tcp_nodelay=1
"""


def missing_programs():
    return [program for program in PROGRAMS if shutil.which(program) is None]


@contextlib.contextmanager
def rgw_server():
    """Yield a running server; nothing of it remains, and any number may run beside each other."""
    with tempfile.TemporaryDirectory(prefix="rgw", ignore_cleanup_errors=True) as name:
        ceph = _Ceph(Path(name))
        try:
            ceph.start()
            yield S3Server(f"http://127.0.0.1:{ceph.web}")
        finally:
            ceph.kill()


class _Ceph:
    def __init__(self, folder):
        self.folder = folder
        self.web = free_port()
        self._fsid = str(uuid.uuid4())
        self._monitor = f"[v2:127.0.0.1:{free_port()}/0,v1:127.0.0.1:{free_port()}/0]"
        self._conf = folder / "ceph.conf"
        self._daemons = []

    def start(self):
        for name in ("run", "mon", "osd"):
            (self.folder / name).mkdir()
        self._conf.write_text(
            CONFIGURATION.format(
                fsid=self._fsid, monitor=self._monitor, folder=self.folder, memory=MEMORY, web=self.web
            )
        )
        self._make_keyring()
        self._start_monitor()
        self._start_disk()
        self._daemon("radosgw", "-n", "client.rgw")
        self._run(
            *("radosgw-admin", "-c", self._conf, "user", "create", "--uid=test", "--display-name=test"),
            *(f"--access-key={ACCESS_KEY}", f"--secret-key={SECRET_KEY}"),
        )
        wait_for_answer(f"http://127.0.0.1:{self.web}/")

    def kill(self):
        for daemon in reversed(self._daemons):
            daemon.kill()
            daemon.wait()

    def _make_keyring(self):
        keyring = self.folder / "keyring"
        everything = ("--cap", "mon", "allow *", "--cap", "osd", "allow *")
        self._key("--create-keyring", keyring, "mon.", "--cap", "mon", "allow *")
        self._key(keyring, "client.admin", *everything, "--cap", "mgr", "allow *")
        self._key(keyring, "client.rgw", *everything)
        self._key(keyring, "osd.0", "--cap", "mon", "allow profile osd", "--cap", "osd", "allow *")

    def _key(self, *words):
        at = next(i for i, word in enumerate(words) if isinstance(word, Path)) + 1
        self._run("ceph-authtool", *words[:at], "--gen-key", "-n", *words[at:])

    def _start_monitor(self):
        monmap = self.folder / "monmap"
        self._run(
            *("monmaptool", "--create", "--addv", "a", self._monitor, "--fsid", self._fsid, monmap),
        )
        keyring = self.folder / "keyring"
        self._run(
            *("ceph-mon", "-c", self._conf, "--mkfs", "-i", "a"),
            *("--monmap", monmap, "--keyring", keyring),
        )
        self._daemon("ceph-mon", "-i", "a")

    def _start_disk(self):
        disk = str(uuid.uuid4())
        self._run("ceph", "-c", self._conf, "--connect-timeout", "20", "osd", "new", disk)
        self._run("ceph-osd", "-c", self._conf, "-i", "0", "--mkfs", "--osd-uuid", disk)
        self._daemon("ceph-osd", "-i", "0")

    def _run(self, *words):
        subprocess.run(
            [str(word) for word in words], check=True, capture_output=True, timeout=STEP_S, cwd=self.folder
        )

    def _daemon(self, program, *words):
        daemon = subprocess.Popen(
            [program, "-c", str(self._conf), *words, "-f"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
        )
        self._daemons.append(daemon)
