# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The plugin's safety: what it refuses, and its behaviour with several libraries, threads, forks and children."""

import ctypes
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import av
import pytest
from programs import ENCODE, ROOT, STOCK, source

from gvc import plugin

SHARED = Path(av.__file__).parent.parent / "av.libs"  # libraries of PyPI's wheel
ROWS = (ROOT / "ffmpeg_bridge" / "plugin" / "layouts.inc").read_text()
KNOWN = [(int(major), int(minor)) for major, minor in re.findall(r"\.major=(\d+), \.minor=(\d+)", ROWS)]
# A script that codes two frames with the codec `gvc`.
ENCODE_TWO = """
from fractions import Fraction
def encode():
    context = av.CodecContext.create("gvc", "w")
    context.width = context.height = 64
    context.pix_fmt, context.time_base = "yuv420p", Fraction(1, 25)
    frames = [av.VideoFrame(64, 64, "yuv420p") for _ in range(2)]
    for index, frame in enumerate(frames):
        frame.pts = index
    return len([packet for frame in [*frames, None] for packet in context.encode(frame)])
"""


def python(script, *args, **variables):
    """Run a script in a new process and return its output; stderr must be empty."""
    environment = {**os.environ, **variables}
    command = [sys.executable, "-c", script, *map(str, args)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def program_with(compiled, tmp_path):
    """Return a function that builds a program with a fake shared libavcodec, which only knows its version."""

    def build(major, minor):
        text = f"unsigned avcodec_version(void) {{ return {major} << 16 | {minor} << 8; }}\n"
        library = compiled(f"libavcodec.so.{major}", text, "-shared", "-fPIC", f"-Wl,-soname,libavcodec.so.{major}")
        text = """
            #include <stdio.h>
            unsigned avcodec_version(void);
            int main(void) { avcodec_version(); puts("fine"); }
        """
        return compiled("program", text, library, f"-Wl,-rpath,{tmp_path}")

    return build


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ((58, 134), "only the versions 59.37, "),
        ((59, 18), "only the versions 59.37, "),
        ((64, 1), "only the versions 59.37, "),
        ((61, 19), "it has no function "),
    ],
)
def test_preloaded_plugin_says_in_one_line_why_it_does_nothing(program_with, version, reason):
    program = program_with(*version)
    done = subprocess.run([program], env=plugin.environment(), capture_output=True, text=True, check=True)
    assert done.stdout == "fine\n"
    major, minor = version
    assert done.stderr.startswith(f"gvc: libavcodec {major}.{minor} does not serve gvc: {reason}")
    assert done.stderr.count("\n") == 1


def test_loaded_plugin_refuses_by_its_status_alone(program_with, tmp_path):
    program_with(64, 1)
    script = "import ctypes, sys; from gvc import plugin; ctypes.CDLL(sys.argv[1]); print(plugin.install())"
    done = python(script, tmp_path / "libavcodec.so.64")
    assert "libavcodec 64.1 does not serve gvc: only the versions" in done.stdout
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


@pytest.fixture(scope="module")
def own_library():
    """Return the bytes of PyAV's libavcodec, its version, and the machine code of avcodec_version."""
    found = list(SHARED.glob("libavcodec*"))
    if not found:
        pytest.skip("this PyAV was not installed from PyPI's wheel")
    library = ctypes.CDLL(os.fspath(found[0]))
    version = library.avcodec_version()
    code = ctypes.string_at(ctypes.cast(library.avcodec_version, ctypes.c_void_p).value, 48)
    return found[0].read_bytes(), (version >> 16, version >> 8 & 255), code


@pytest.mark.parametrize("version", KNOWN, ids=lambda version: ".".join(map(str, version)))
def test_known_version_with_another_layout_is_refused(own_library, tmp_path, version):
    contents, own_version, code = own_library
    if version == own_version:
        pytest.skip("that is the version of PyAV's library")
    own, other = (struct.pack("<BB", minor, major) for major, minor in (own_version, version))
    assert contents.count(code) == code.count(own) == 1
    fake = tmp_path / f"libavcodec.so.{version[0]}"
    fake.write_bytes(contents.replace(code, code.replace(own, other)))
    script = (
        "import ctypes, sys; from gvc import plugin\n"
        "library = ctypes.CDLL(sys.argv[1]); print(plugin.install())\n"
        "library.avcodec_find_encoder_by_name.restype = ctypes.c_void_p\n"
        "print([name for name in (b'asv1', b'gvc') if library.avcodec_find_encoder_by_name(name)])"
    )
    status, codecs = python(script, fake, LD_LIBRARY_PATH=os.fspath(SHARED)).stdout.splitlines()
    assert f"libavcodec {version[0]}.{version[1]} does not serve gvc: " in status
    assert codecs == "[b'asv1']"


def test_without_a_codec_to_replace(compiled, tmp_path):
    """An FFmpeg with few codecs may lack all four that GVC can replace; here they are hidden."""
    if not SHARED.is_dir():
        pytest.skip("this PyAV was not installed from PyPI's wheel")
    real = next(SHARED.glob("libavcodec*"))
    text = """
        void *avcodec_find_encoder_by_name(const char *name) { return 0; }
        void *avcodec_find_decoder_by_name(const char *name) { return 0; }
    """
    hiding = ("-shared", "-fPIC", "-Wl,--no-as-needed", real, "-Wl,--allow-shlib-undefined")
    hidden = compiled("libavcodec.so", text, *hiding)
    script = "import ctypes, sys; from gvc import plugin; ctypes.CDLL(sys.argv[1]); print(plugin.install())"
    found = python(script, hidden, LD_LIBRARY_PATH=os.fspath(SHARED)).stdout
    assert "it has none of the codecs asv1, asv2, cljr and amv, which gvc could replace" in found


@pytest.mark.parametrize("allowed", [0, 1])
def test_where_memory_may_not_be_made_writable(compiled, allowed):
    """On a system that forbids this, from the beginning or midway, GVC is missing and nothing else changes."""
    text = f"""
        #include <errno.h>
        #include <sys/mman.h>
        #include <sys/syscall.h>
        #include <unistd.h>
        int mprotect(void *address, size_t size, int protection) {{
            static int asked;
            if (protection & PROT_WRITE && asked++ >= {allowed})
                return errno = EACCES, -1;
            return syscall(SYS_mprotect, address, size, protection);
        }}
    """
    strict = compiled("strict.so", text, "-shared", "-fPIC")
    script = (
        "import av\nfrom gvc.errors import EngineError\n"
        "try:\n    import gvc.av\nexcept EngineError as error:\n    print(error)\n"
        "print([name for name in ('asv1', 'gvc') if name in av.codecs_available], av.Codec('asv1', 'w').long_name)"
    )
    done = python(script, LD_PRELOAD=os.fspath(strict))
    message, codecs = done.stdout.splitlines()
    assert "this system does not allow programs to write to its data" in message
    assert codecs == "['asv1'] ASUS V1"
    assert done.stderr == ""


def test_installing_again_and_from_many_threads_changes_nothing():
    script = (
        "import threading, av; from gvc import plugin\n"
        "library = plugin._library(); found = set()\n"
        "def install():\n"
        "    for _ in range(50):\n        found.add((library.gvc_ffmpeg_install(), plugin.install()))\n"
        "threads = [threading.Thread(target=install) for _ in range(8)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
        "print(len(found), found.pop()[0], av.Codec('asv2', 'w').name)"
    )
    assert python(script).stdout.split() == ["1", "1", "asv2"]


def test_second_copy_of_the_plugin_leaves_the_work_to_the_first(tmp_path):
    for name in ("libgvc_ffmpeg.so", "libgvc.so", "python-path"):
        shutil.copy(plugin.library_path().with_name(name), tmp_path)
    script = (
        f"import ctypes, sys, av, gvc.av\n{ENCODE_TWO}\n"
        "copy = ctypes.CDLL(sys.argv[1]); copy.gvc_ffmpeg_status.restype = ctypes.c_char_p\n"
        "print(copy.gvc_ffmpeg_status().decode())\n"
        "print(copy.gvc_ffmpeg_install(), av.Codec('asv2', 'w').name, encode())"
    )
    status, rest = python(script, tmp_path / "libgvc_ffmpeg.so").stdout.splitlines()
    assert "has gvc already" in status
    assert rest == "1 asv2 2"


def test_plugin_stays_when_it_is_unloaded():
    """FFmpeg's tables point into the plugin, so it must remain in memory."""
    script = (
        f"import av, ctypes, _ctypes; from gvc import plugin\n{ENCODE_TWO}\n"
        "library = ctypes.CDLL(str(plugin.library_path())); library.gvc_ffmpeg_install()\n"
        "_ctypes.dlclose(library._handle)\n"
        "print(encode())"
    )
    assert python(script).stdout == "2\n"


def test_served_library_stays_when_it_is_unloaded(own_library, tmp_path):
    """The plugin has addresses of the library, so the library must remain in memory."""
    copy = tmp_path / "libavcodec-copy.so"
    copy.write_bytes(own_library[0])
    script = (
        "import ctypes, _ctypes, sys; from gvc import plugin\n"
        "library = ctypes.CDLL(sys.argv[1]); plugin.install()\n"
        "_ctypes.dlclose(library._handle); status = plugin.install()\n"
        "print(sys.argv[1] in open('/proc/self/maps').read(), status.count('serves gvc in place of'))"
    )
    assert python(script, copy, LD_LIBRARY_PATH=os.fspath(SHARED)).stdout == "True 1\n"


def test_forked_child_encodes_too():
    script = (
        f"import os, av, gvc.av\n{ENCODE_TWO}\n"
        "child = os.fork()\n"
        "if not child:\n    os._exit(encode())\n"
        "print(encode(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    assert python(script).stdout == "2 2\n"


def test_more_libraries_than_there_is_room_for(program_with, tmp_path):
    program_with(64, 1)
    script = (
        "import ctypes, sys; from gvc import plugin\n"
        "for path in sys.argv[1:]:\n    ctypes.CDLL(path)\n"
        "print(plugin.install()); print(plugin.install())"
    )
    original = tmp_path / "libavcodec.so.64"
    copies = [shutil.copy(original, tmp_path / f"libavcodec-{index}.so.64") for index in range(9)]
    found = python(script, *copies).stdout.splitlines()
    assert len(found) == 18
    assert found[8] == "more than 8 libavcodecs are loaded; the others are left alone"


@pytest.fixture(scope="module")
def stock():
    STOCK.require("ffmpeg")
    return STOCK


def test_shell_and_its_pipe(stock):
    """Through LD_PRELOAD the plugin passes programs without FFmpeg and reaches their children that use it."""
    make = " ".join(["ffmpeg -nostdin -v error", *source(frames=2), *ENCODE, "-f matroska -"])
    read = "ffmpeg -v error -i - -f framemd5 -"
    done = stock.run("sh", "-c", f"{make} | cat | {read} | grep -vc '^#'")
    assert (done.stdout, done.stderr) == ("2\n", "")


def test_what_was_preloaded_before_stays(compiled):
    other = compiled("other.so", "int other_was_loaded = 1;\n", "-shared", "-fPIC")
    variables = plugin.environment({**os.environ, "LD_PRELOAD": os.fspath(other)})
    script = (
        "import ctypes; program = ctypes.CDLL(None)\n"
        "print(ctypes.c_int.in_dll(program, 'other_was_loaded').value, program.gvc_ffmpeg_install())"
    )
    assert python(script, **variables).stdout == "1 0\n"


def test_engine_is_started_without_the_preload(stock, tmp_path):
    engine = tmp_path / "python"
    engine.write_text(f'#!/bin/sh\nenv >"{tmp_path}/environment"\nexec "{sys.executable}" "$@"\n')
    engine.chmod(0o755)
    variables = {"GVC_PYTHON": os.fspath(engine), "KEPT": "yes"}
    stock.ffmpeg(*source(frames=1), *ENCODE, "-f", "null", "-", variables=variables)
    names = {line.partition("=")[0] for line in (tmp_path / "environment").read_text().splitlines()}
    assert "KEPT" in names
    assert "LD_PRELOAD" not in names


def test_programs_without_ffmpeg_notice_nothing():
    done = STOCK.run("sh", "-c", "echo fine", variables={"GVC_DEBUG": "1"})
    assert (done.stdout, done.stderr) == ("fine\n", "")


STATIC = '#include <stdio.h>\nint main(void) { puts("ffmpeg version 9.0"); puts("Lavc63.1.101"); }\n'


def gvc(*args, path):
    """Run a gvc command with `path` at the front of PATH."""
    environment = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}"}
    command = [sys.executable, "-m", "gvc.cli", *args]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_static_build_is_told_before_it_runs(compiled, tmp_path):
    compiled("ffmpeg", STATIC)
    done = gvc("ffmpeg", "-c:v", "gvc", path=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{tmp_path}/ffmpeg is a static build" in done.stderr
    assert "make ffmpeg" in done.stderr
    assert done.stderr.count("\n") == 1


def test_doctor_knows_a_static_build(compiled, tmp_path):
    compiled("ffmpeg", STATIC)
    text = gvc("doctor", path=tmp_path).stdout
    assert re.search(r"missing +ffmpeg: .* is a static build.*\n +-> .*make ffmpeg", text)


@pytest.mark.parametrize("wrapper", ["#!/bin/sh\n# Lavc\n", None], ids=["script", "compiled"])
def test_wrapper_is_no_static_build(compiled, tmp_path, wrapper):
    if wrapper:
        path = tmp_path / "ffmpeg"
        path.write_text(wrapper)
    else:
        path = compiled("ffmpeg", '#include <unistd.h>\nint main(int n, char **a) { execv("/usr/bin/ffmpeg", a); }\n')
    assert not plugin.is_static_build(path)


def test_shared_builds_are_no_static_build(stock):
    assert not plugin.is_static_build(stock.path("ffmpeg"))
