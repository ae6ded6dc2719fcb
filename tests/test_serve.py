"""The warm engine: what its clients get, and what happens to them and to it when things go wrong."""

import array
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from libgvc import CallError, Decoder, Encoder, lib
from programs import ENCODE, STOCK, Programs, built, source
from test_ffmpeg import test_interrupt_leaves_a_playable_file  # noqa: F401
from test_libgvc import (  # noqa: F401 - these tests hold with a warm engine as well
    FIELDS,
    FORMAT,
    HEIGHT,
    OPTIONS,
    WIDTH,
    children,
    coded,
    decoded,
    new_child,
    pictures,
    same,
    test_bad_colour,
    test_bad_decoder_options_show_with_the_first_packet,
    test_bad_encoder_options,
    test_corrupted_packets_do_not_stop_the_decoder,
    test_decodes_like_the_python_api,
    test_decodes_without_extradata,
    test_encoder_goes_on_after_flush,
    test_encodes_like_the_python_api,
    test_flush_forgets_what_is_queued,
    test_garbage_packet_without_extradata,
)

import gvc
from gvc.doctor import _warm_engine
from gvc.encoder import Encoder as PythonEncoder
from gvc.engine import server as serving
from gvc.engine.address import NAME, Address
from gvc.engine.protocol import constants
from gvc.engine.protocol import ffi as wire
from gvc.media import Packet
from gvc.options import split_options
from gvc.priors.pool import PriorPool


class Server:
    """`gvc serve` in a process of its own, with its log."""

    def __init__(self, runtime: Path, *flags: object, **variables: str):
        runtime.mkdir(mode=0o700, exist_ok=True)
        self.folder = runtime / "gvc"
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "gvc.cli", "serve", *map(str, flags)],
            env={**os.environ, "XDG_RUNTIME_DIR": str(runtime), **variables},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self.wait_for("ready")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    @property
    def socket(self) -> Path:
        return self.folder / f"{NAME}.sock"

    def wait_for(self, text: str) -> str:
        """Read the log up to a line with this text."""
        for line in self.process.stderr:
            self.lines.append(line)
            if text in line:
                return line
        raise AssertionError(f"the server ended without saying {text!r}: {''.join(self.lines)}")

    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def end(self) -> str:
        """Wait for its end; return the rest of its log."""
        rest = self.process.communicate(timeout=60)[1]
        assert self.process.returncode == 0, rest
        return rest


@pytest.fixture(scope="module", autouse=True)
def runtime(tmp_path_factory):
    """A private place for sockets, where clients look for a warm engine."""
    folder = tmp_path_factory.mktemp("runtime")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        patch.delenv("GVC_SERVE", raising=False)
        patch.setenv("OMP_NUM_THREADS", "1")  # fastest for tiny networks, and the same for all
        yield folder


@pytest.fixture(scope="module", autouse=True)
def server(runtime):
    """The warm engine that most tests share."""
    with Server(runtime, "--idle", "0") as warm:
        yield warm
        assert warm.process.poll() is None, "it died"


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder for a server of the test's own, where clients look for it."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    return tmp_path / "runtime"


def served() -> bool:
    """Whether a client of this process is served by a warm engine, as against one that it starts."""
    before = children()
    with Encoder(WIDTH, HEIGHT, options=OPTIONS) as encoder:
        assert encoder.extradata
        return children() == before


def call(path: Path) -> socket.socket:
    """A connection to a server as a stranger would make it."""
    line = socket.socket(socket.AF_UNIX)
    folder = os.open(path.parent, os.O_PATH)
    line.connect(f"/proc/self/fd/{folder}/{path.name}")  # a path may be longer than an address
    os.close(folder)
    return line


def head(kind: int, size: int = 0, **fields: int) -> bytes:
    return bytes(wire.buffer(wire.new("gvc_message *", {"type": kind, "size": size, **fields})))


def opening(role: int, **fields) -> bytes:
    video = {"width": WIDTH, "height": HEIGHT, "time_base_num": 1, "time_base_den": 25}
    video |= {"frame_rate_den": 1, "sar_den": 1}
    payload = bytes(wire.buffer(wire.new("gvc_open *", {"role": role, "format": video, **fields})))
    return head(constants.GVC_MSG_OPEN, len(payload)) + payload


def answer(line: socket.socket) -> tuple[int, str]:
    """The code and sentence of the FAILURE that ends a conversation, (0, "") if it ends without."""
    data = b""
    with suppress(ConnectionResetError):  # it had more to read
        while part := line.recv(65536):
            data += part
    code, sentence = 0, ""
    while data:
        message = wire.from_buffer("gvc_message *", bytearray(data[:40]))
        if message.type == constants.GVC_MSG_FAILURE:
            code, sentence = message.code, data[40 : 40 + message.size].decode()
        data = data[40 + message.size :]
    return code, sentence


def test_a_client_starts_no_engine_of_its_own(monkeypatch):
    assert served()
    monkeypatch.setenv("GVC_SERVE", "0")
    assert not served()


@pytest.fixture(params=[STOCK, *built()], ids=lambda programs: programs.name)
def programs(request) -> Programs:
    request.param.require("ffmpeg")
    return request.param


def test_ffmpeg_makes_the_same_bytes_and_pictures(programs, own, tmp_path, monkeypatch):
    def code(path: Path) -> tuple[bytes, list[str]]:
        programs.ffmpeg(*source(frames=9), *ENCODE, "-fflags", "+bitexact", path)
        return path.read_bytes(), programs.hashes(path)

    with Server(own) as server:
        warm = code(tmp_path / "warm.mkv")
        server.wait_for("client 1 (ffmpeg")
        server.wait_for("client 2 (ffmpeg")
        monkeypatch.setenv("GVC_SERVE", "0")
        assert code(tmp_path / "cold.mkv") == warm


def test_several_clients_at_once(coded, decoded, pictures):  # noqa: F811
    """Four begin before the first goes on; each gets what it would get alone."""
    together = threading.Barrier(4)

    def encode():
        with Encoder(WIDTH, HEIGHT, options=OPTIONS, **FIELDS) as encoder:
            together.wait()
            return encoder.encode(pictures) == coded[1]

    def decode():
        with Decoder(extradata=coded[0]) as decoder:
            first = decoder.decode(coded[1][:1])
            together.wait()
            return same(first + decoder.decode([*coded[1][1:], None]), decoded)

    before = children()
    with ThreadPoolExecutor(4) as pool:
        results = [pool.submit(work) for work in (encode, decode, encode, decode)]
        assert all(result.result() for result in results)
    assert children() == before


def test_a_killed_client_leaves_nothing_behind(own):
    STOCK.require("ffmpeg")
    with Server(own) as server:
        assert served()  # whatever is loaded once is loaded
        server.wait_for("client 1 (")
        server.wait_for("left")
        files = server.open_files()
        endless = ["ffmpeg", "-v", "error", *source(frames=10**6), *ENCODE, "-f", "null", "-"]
        with subprocess.Popen(endless, env=STOCK.environment, stdin=subprocess.DEVNULL) as ffmpeg:
            server.wait_for(f"client 2 (ffmpeg, process {ffmpeg.pid}) came")
            ffmpeg.kill()
        server.wait_for("client 2 (ffmpeg")
        assert server.open_files() == files
        assert served()


def test_broken_clients_do_no_harm(own, tmp_path):
    (tmp_path / "short").write_bytes(bytes(10))
    writable, readonly = os.open(tmp_path / "short", os.O_RDWR), os.open("/dev/null", os.O_RDONLY)
    folder = os.open(tmp_path, os.O_RDONLY)
    encoder, picture = opening(constants.GVC_ENCODER), head(constants.GVC_MSG_PICTURE)
    attacks = [  # bytes, descriptors, what the answer says
        (b"GET / HTTP/1.1\r\n" * 10, [], "unknown to this engine"),
        (encoder, [], "did not begin with an OPEN"),
        (encoder, [folder], "no shared memory"),
        (encoder + picture, [writable], "no room for its pictures"),
        (encoder + picture, [writable, writable, writable], "no room for its pictures"),
        (encoder + picture, [readonly], "no room for its pictures"),
        (encoder + head(constants.GVC_MSG_PICTURE, slot=8), [writable], "unknown to this engine"),
        (encoder + head(constants.GVC_MSG_RELEASE), [writable], "no place"),
        (opening(constants.GVC_DECODER, options_size=2**31), [writable], "OPEN message of the wrong size"),
        (head(constants.GVC_MSG_OPEN, 2**32 - 1), [writable], "unknown to this engine"),
        (encoder[:50], [writable], ""),
    ]
    with Server(own) as server:
        assert served()
        server.wait_for("left")
        files = server.open_files()
        for data, descriptors, sentence in attacks:
            with call(server.socket) as line:
                line.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))])
                line.shutdown(socket.SHUT_WR)
                code, text = answer(line)
            assert sentence in text, data
            assert (code < 0) == bool(text)
            server.wait_for("left")
        assert server.open_files() == files
        assert served()
    for descriptor in (writable, readonly, folder):
        os.close(descriptor)


def test_a_killed_server_is_one_clear_error_and_the_next_client_does_without(own, coded, decoded):  # noqa: F811
    with Server(own) as first, Decoder(extradata=coded[0]) as decoder:
        decoder.decode(coded[1][:2])
        first.process.kill()
        first.process.wait()
        with pytest.raises(CallError, match=r"gvc serve.*ended unexpectedly") as failure:
            decoder.decode(coded[1][2:])
        assert failure.value.code == lib.GVC_ERROR_ENGINE
        assert not served()
        with Server(own):  # the socket that the first left behind is no obstacle
            assert served()


def test_there_is_one_server_at_a_time(server, runtime):
    second = subprocess.run(
        [sys.executable, "-m", "gvc.cli", "serve"], capture_output=True, text=True, timeout=60, check=False
    )
    assert second.returncode == 1
    assert second.stderr == f"gvc: a warm engine runs already at {server.socket}; one is enough for all programs\n"
    assert served()


def test_it_ends_when_nobody_comes(own):
    with Server(own, "--idle", 2) as server:
        with Encoder(WIDTH, HEIGHT, options=OPTIONS):
            server.wait_for("came")
        log = server.end()
    assert log.index("left") < log.index("nobody came for 2 s")
    assert not server.socket.exists()
    assert not served()


def test_shutdown_lets_clients_finish(own, coded, decoded):  # noqa: F811
    with Server(own) as server, Decoder(extradata=coded[0]) as decoder:
        shown = decoder.decode(coded[1][:2])
        server.process.terminate()
        server.wait_for("takes no new clients and ends with the last of 1")
        assert not served()
        assert same(shown + decoder.decode([*coded[1][2:], None]), decoded)
        decoder.close()
        assert "ends" in server.end()


def test_a_second_signal_tells_clients_and_ends(own, coded, pictures):  # noqa: F811
    with Server(own) as server, Decoder(extradata=coded[0]) as decoder, Encoder(WIDTH, HEIGHT) as encoder:
        decoder.decode(coded[1][:2])
        server.process.send_signal(signal.SIGINT)
        server.wait_for("takes no new clients")
        server.process.send_signal(signal.SIGINT)
        server.end()
        for client, things in ((decoder, coded[1]), (encoder, pictures)):
            for _ in range(2):  # it is final
                with pytest.raises(CallError, match="was stopped in the middle") as failure:
                    for thing in things:
                        client.send(thing)
                        client.receive()
                assert failure.value.code == lib.GVC_ERROR_ENGINE


def test_clients_beyond_the_limit_help_themselves(own):
    with Server(own, "--clients", 1) as server:
        with call(server.socket) as silent:
            assert len(silent.recv(64)) == 40  # HELLO; and then it says nothing
            assert not served()
        server.wait_for("left")
        assert served()


def test_folders_that_others_could_use_are_refused(own, tmp_path):
    with Server(own) as server:
        server.folder.chmod(0o755)
        assert not served()
        server.folder.chmod(0o700)
        assert served()
        server.folder.rename(tmp_path / "elsewhere")
        server.folder.symlink_to(tmp_path / "elsewhere")
        assert not served()
    assert "cannot be opened as a folder" in refusal(own)
    server.folder.unlink()
    server.folder.mkdir()
    server.folder.chmod(0o770)
    assert f"{server.folder} must be yours and closed to others" in refusal(own)


def refusal(runtime: Path) -> str:
    """What `gvc serve` says when it does not start."""
    command = [sys.executable, "-m", "gvc.cli", "serve"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_other_users_are_refused(own, coded):  # noqa: F811
    nobody = 65534
    with Server(own) as server:
        server.folder.chmod(0o711)
        server.socket.chmod(0o666)
        folder = os.open(server.folder, os.O_PATH)
        stranger = (
            f"import os, socket; os.setuid({nobody}); line = socket.socket(socket.AF_UNIX);"
            f"line.connect('/proc/self/fd/{folder}/{server.socket.name}'); print(line.recv(64))"
        )
        done = subprocess.run([sys.executable, "-c", stranger], pass_fds=[folder], capture_output=True, check=True)
        assert done.stdout == b"b''\n"
        server.wait_for("belongs to another user and was turned away")
        server.folder.chmod(0o700)
        assert served()
        os.chown(server.folder, nobody, -1)
        assert not served()
        os.chown(server.folder, 0, -1)
        with posing(server, head(constants.GVC_MSG_HELLO, pts=constants.GVC_PROTOCOL_VERSION), uid=nobody):
            assert not served()
        os.close(folder)


class posing:  # noqa: N801 - reads as a function
    """Another program listens in the place of a server, as user `uid`, and says something to each client."""

    def __init__(self, server: Server, greeting: bytes, uid: int | None = None):
        self._path, self._greeting = server.socket, greeting
        self._listener = socket.socket(socket.AF_UNIX)
        folder = os.open(self._path.parent, os.O_PATH)
        self._path.unlink()
        self._listener.bind(f"/proc/self/fd/{folder}/{self._path.name}")
        os.close(folder)
        if uid is not None:
            os.seteuid(uid)
        self._listener.listen()
        os.seteuid(os.getuid())
        self._thread = threading.Thread(target=self._greet)

    def __enter__(self):
        self._thread.start()

    def _greet(self):
        line, _ = self._listener.accept()
        with line, suppress(ConnectionError):
            line.sendall(self._greeting)
            line.recv(1)  # until the client goes

    def __exit__(self, *_):
        self._thread.join()
        self._listener.close()


@pytest.mark.parametrize(
    "greeting",
    [head(constants.GVC_MSG_HELLO, pts=constants.GVC_PROTOCOL_VERSION + 1), b"220 mail.example.org ESMTP", b"?" * 40],
)
def test_a_server_of_another_version_or_kind_is_ignored(own, greeting):
    with Server(own) as server, posing(server, greeting):
        assert not served()


def test_a_server_whose_code_was_replaced_makes_way(own, tmp_path):
    package = shutil.copytree(Path(gvc.__file__).parent, tmp_path / "gvc", ignore=shutil.ignore_patterns("__pycache__"))
    with Server(own, PYTHONPATH=str(tmp_path)) as server:
        assert served()
        (package / "loop.py").touch()
        assert not served()
        assert "installed anew" in server.end()


def test_doctor_says_whether_a_warm_engine_runs(server, own, monkeypatch, runtime):
    assert not _warm_engine().ok
    assert "none runs" in _warm_engine().found
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    assert _warm_engine().ok
    assert str(server.process.pid) in _warm_engine().found
    monkeypatch.setenv("GVC_SERVE", "0")
    assert not _warm_engine().ok
    assert "GVC_SERVE=0" in _warm_engine().found


@pytest.fixture
def wan_server(own):
    """A server in a thread of this process, which has torch already, and the list of what it says of models."""
    own.mkdir(mode=0o700)
    log = []
    server = serving.Server(Address(), PriorPool(log.append), idle=0, most=16)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield log
    server.stop()
    thread.join()


def test_a_model_is_loaded_once_and_again_when_it_changes(wan_server, tmp_path, monkeypatch, pictures):  # noqa: F811
    """Two clients at once have one network; both name it relative to their own folder."""
    from tiny_wan import build_tiny_wan

    clip, options = pictures[:5], "mode=t2v:preset=gvcc:atoms=4:gop=5:prior=wan\\:model"
    build_tiny_wan(tmp_path / "model", "t2v")
    monkeypatch.chdir(tmp_path)
    together = threading.Barrier(2)

    def encode(_) -> list[Packet]:
        with Encoder(WIDTH, HEIGHT, options=options, **FIELDS) as encoder:
            together.wait()
            return encoder.encode(clip)

    with ThreadPoolExecutor(2) as pool:
        packets, others = pool.map(encode, range(2))
    alone = PythonEncoder(FORMAT, split_options(options))
    assert packets == others == [packet for picture in [*clip, None] for packet in alone.encode(picture)]
    with Decoder(options="prior=wan\\:model") as decoder:
        assert len(decoder.decode(packets)) == len(clip)
    assert [line.split(" ")[0] for line in wan_server] == ["loaded"]
    build_tiny_wan(tmp_path / "model", "t2v", seed=1)
    with Decoder(options="prior=wan\\:model") as decoder:
        decoder.send(packets[0])
        with pytest.raises(CallError, match="other weights") as failure:
            decoder.receive()
    assert failure.value.code == lib.GVC_ERROR_PRIOR
    assert "have changed" in wan_server[1]
    assert [line.split(" ")[0] for line in wan_server[2:]] == ["loaded"]
