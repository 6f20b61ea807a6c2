"""The site's process: it says where it listens, refuses clearly, and never outlives its parent."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import requests

from harness.demo import Settings, Site, SiteFailed
from harness.demo.__main__ import main
from harness.demo.settings import Stall

DEMO = [sys.executable, "-m", "harness.demo"]


def start(*words: str) -> tuple[subprocess.Popen[str], dict[str, str]]:
    process = subprocess.Popen([*DEMO, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    return process, json.loads(process.stdout.readline())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_code_0_and_nothing_is_left(number: signal.Signals) -> None:
    """One line on standard output, nothing on standard error, no temporary file, a free port."""
    process, told = start("--port", "0")
    port = int(told["url"].rsplit(":", 1)[1])
    assert requests.get(told["url"]).status_code == 200
    assert Path(told["db"]).exists()
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=10)
    assert (process.returncode, stdout, stderr) == (0, "", "")
    assert not Path(told["db"]).parent.exists()
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))


def test_it_ends_although_visitors_hold_connections_and_wait_for_answers() -> None:
    process, told = start("--mute")
    with socket.create_connection(("127.0.0.1", int(told["url"].rsplit(":", 1)[1]))) as waiting:
        waiting.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while not json.loads(requests.get(told["url"] + "/_demo/stats").text)["requests"]:
            pass
        process.terminate()
        process.communicate(timeout=10)
    assert process.returncode == 0
    assert not Path(told["db"]).parent.exists()


def test_it_ends_when_the_process_that_started_it_is_killed() -> None:
    """kill -9 of the parent: nobody can tell the site, it notices by itself and clears up."""
    code = "from harness.demo import Site; site = Site(); site.start(); print(site.pid, site.db, flush=True); input()"
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    pid, db = parent.stdout.readline().split()
    site = psutil.Process(int(pid))
    parent.kill()
    parent.communicate()
    site.wait(10)
    assert not Path(db).parent.exists()


def test_a_site_that_was_killed_leaves_no_files_either() -> None:
    with Site() as site:
        folder = site.db.parent
        os.kill(site.pid, signal.SIGKILL)
        with pytest.raises(SiteFailed, match="does not answer"):
            while True:
                site.stats()
        while site.alive:  # its sockets close a moment before it is gone
            pass
    assert not folder.exists()


def test_leaving_the_block_ends_the_process_even_when_an_error_leaves_it() -> None:
    with pytest.raises(RuntimeError), Site() as site:
        process = psutil.Process(site.pid)
        raise RuntimeError
    assert not process.is_running()


def test_a_port_in_use_is_a_clear_message_and_exit_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run([*DEMO, "--port", str(port)], capture_output=True, text=True, timeout=20)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"port {port} " in done.stderr and "in use" in done.stderr and "--port" in done.stderr
        with pytest.raises(SiteFailed, match=f"port {port} "):
            Site(Settings(port=port)).start()


def test_a_file_that_is_no_database_is_a_clear_message_and_stays_as_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear Ida, " * 200)
    assert main([f"--db={file}"]) == 2
    assert "letter.txt" in capsys.readouterr().err
    assert file.read_text() == "Dear Ida, " * 200


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--workers", "0"], "--workers"),
        (["--workers", "many"], "--workers"),
        (["--service", "40"], "40ms"),
        (["--service", "0ms"], "--service"),
        (["--distribution", "gamma"], "exponential"),
        (["--stall", "20s"], "EVERY:LASTS"),
        (["--stall", "2s:20s"], "--stall"),
        (["--port", "70000"], "--port"),
        (["--limit", "0"], "--limit"),
        (["--queues", "3"], "--queues"),
    ],
)
def test_a_bad_knob_is_named_with_a_remedy_and_exit_code_2(words: list[str], named: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    said = capsys.readouterr()
    assert named in said.err and said.out == ""


def test_settings_survive_the_command_line() -> None:
    """What Site starts is what was asked for, to the last digit."""
    odd = Settings(
        port=8123, workers=3, service=1 / 3, queue=7, distribution="lognormal", variation=0.7, seed=9, db=Path("a b.sqlite"), collapse=0.5,
        limit=2 / 3, burst=4, error_page=True, mute=True, stall=Stall(every=10.5, lasts=1 / 7),
    )  # fmt: skip
    assert Settings.of(odd.arguments) == odd
    assert Settings.of([]) == Settings()


def test_a_database_of_ones_own_is_kept_and_continued(tmp_path: Path) -> None:
    """Rows and tickets of an earlier run are still good."""
    file = tmp_path / "site.sqlite"
    with Site(Settings(db=file)) as site:
        ticket = requests.post(site.url + "/webcast/join", data={"email": "ida@example.com"}).json()["ticket"]
    with Site(Settings(db=file)) as site:
        assert site.stats().rows["joins"] == 1
        assert requests.get(f"{site.url}/live/{ticket}/index.m3u8").status_code == 200


def test_a_stopped_site_can_be_stopped_again() -> None:
    site = Site()
    site.start()
    site.stop()
    site.stop()
    assert not site.alive


def test_people_are_told_the_url_and_the_knobs() -> None:
    """`surge demo` in sentences."""
    code = "import sys; from harness.demo.__main__ import main; sys.exit(main(['--workers', '7', '--limit', '90'], human=True))"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    lines = [process.stdout.readline() for _ in range(5)]
    process.terminate()
    assert process.wait(10) == 0
    said = "".join(lines)
    assert "http://127.0.0.1:" in said and "7 workers × 50 ms" in said and "90" in said and "Ctrl-C" in said + process.stdout.read()
