"""A PostgreSQL server of the tests' own, on loopback, in a folder that is thrown away."""

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path

USER = "comfygen"
_FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
"""Nobody needs the data after a crash of the machine."""


def programs():
    """Return the folder of initdb and pg_ctl, or None where PostgreSQL is not installed."""
    found = shutil.which("pg_ctl")
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda p: float(p.parts[-3]))
    return Path(found).parent if found else versions[-1].parent if versions else None


class PostgresServer:
    """`url` of a database; `new_database` makes another one; stopped and started again, it keeps its data."""

    def __init__(self, folder, bin_folder):
        self._folder = folder
        self._bin = bin_folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def url(self, database="postgres", user=USER):
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def prepare(self):
        self._run("initdb", "-D", "data", "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync")

    def start(self):
        options = f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1 {_FAST}"
        self._run("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, "start")

    def stop(self):
        self._run("pg_ctl", "-D", "data", "-m", "fast", "stop")

    def new_database(self):
        name = f"test_{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def execute(self, statement, database="postgres"):
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def _run(self, program, *arguments):
        command = [str(self._bin / program), *arguments]
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            command = ["runuser", "-u", "nobody", "--", *command]
        done = subprocess.run(
            command, cwd=self._folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def postgres_server():
    """Yield a running server."""
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as name:  # a socket's path must be short
        folder = Path(name)
        folder.chmod(0o777)
        server = PostgresServer(folder, programs())
        server.prepare()
        server.start()
        try:
            yield server
        finally:
            server.stop()
            if os.getuid() == 0:
                shutil.rmtree(folder / "data", ignore_errors=True)
