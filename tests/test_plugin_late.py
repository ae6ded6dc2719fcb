# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Programs that load FFmpeg's libraries at run time: the preloaded plugin notices, and changes nothing else."""

import os
import subprocess
import sys

import pytest
from programs import ENCODE, STOCK, source

from gvc import plugin

# A program that opens libraries through a library with a RUNPATH, and prints the results.
CALLER = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <link.h>
    #include <stdio.h>
    void try(const char *name, int mode) {
        errno = 77;
        void *library = dlopen(name, mode);
        const char *error = dlerror();
        struct link_map *map = NULL;
        if (library)
            dlinfo(library, RTLD_DI_LINKMAP, &map);
        printf("%s: %s, %s, %d\\n", name ? name : "", map ? map->l_name : "none", error ? error : "no error",
               library ? errno : 0);
    }
"""
TRY = """
    #include <dlfcn.h>
    void try(const char *name, int mode);
    int main(int count, char **names) {
        for (int i = 1; i < count; i++)
            try(names[i], RTLD_NOW);
        try(names[1], RTLD_NOW | RTLD_NOLOAD);
        try((void *)0, RTLD_NOW);
    }
"""


def run(command, **variables):
    return subprocess.run(
        command, env=os.environ | variables, capture_output=True, text=True, timeout=120, check=True
    ).stdout


def with_and_without(command, **variables):
    """Return the output of a program with the plugin, and check that it is the same without the plugin."""
    return run(command, **plugin.environment(os.environ | variables)), run(command, **variables)


@pytest.mark.parametrize("tag", ["--enable-new-dtags", "--disable-new-dtags"], ids=["RUNPATH", "RPATH"])
def test_names_are_looked_for_as_for_their_caller(compiled, tmp_path, tag):
    shared = ("-shared", "-fPIC")
    path = f"-Wl,{tag},-rpath,$ORIGIN/empty:$ORIGIN/inner:$ORIGIN/last"
    for name in ("inner/libonce.so", "inner/libtwice.so", "last/libtwice.so", "other/libthird.so", "far/libfar.so"):
        compiled(name, "int there = 1;", *shared)
    (tmp_path / "inner" / "libbroken.so").write_text("no library")
    compiled("last/libbroken.so", "int there = 1;", *shared)
    compiled("last/libneedy.so", "extern int missing; int *need(void) { return &missing; }", *shared)
    caller = compiled("libcaller.so", CALLER, *shared, path, "-ldl")
    program = compiled("program", TRY, caller, f"-Wl,--enable-new-dtags,-rpath,{tmp_path}")
    names = ["libonce.so", "libtwice.so", "libthird.so", "libfar.so", "libbroken.so", "libneedy.so", "libm.so.6"]
    names += ["$ORIGIN/last/libtwice.so", f"{tmp_path}/inner/libonce.so", "libnone.so", "./libnone.so"]
    done, expected = with_and_without([program, *names], LD_LIBRARY_PATH=str(tmp_path / "other"))
    assert f"libonce.so: {tmp_path}/inner/libonce.so, no error, 77" in expected
    assert f"$ORIGIN/last/libtwice.so: {tmp_path}/last/libtwice.so" in expected
    assert done == expected


def test_libraries_that_open_others_while_threads_do_so_too(compiled, tmp_path):
    """Constructors of libraries run while the loader's lock is held."""
    shared = ("-shared", "-fPIC", "-ldl")
    for index in range(4):
        compiled(f"libinner{index}.so", "int there = 1;", *shared)
        text = f"""
            #include <dlfcn.h>
            __attribute__((constructor)) static void open_inner(void) {{
                dlopen("{tmp_path}/libinner{index}.so", RTLD_NOW);
            }}
        """
        compiled(f"libouter{index}.so", text, *shared)
    text = f"""
        #include <dlfcn.h>
        #include <pthread.h>
        #include <stdio.h>
        static void *open_often(void *opaque) {{
            char name[4096];
            snprintf(name, sizeof(name), "{tmp_path}/libouter%d.so", (int)(long)opaque);
            for (int i = 0; i < 300; i++)
                dlclose(dlopen(name, RTLD_NOW));
            return NULL;
        }}
        int main(void) {{
            pthread_t threads[4];
            for (long i = 0; i < 4; i++)
                pthread_create(&threads[i], NULL, open_often, (void *)i);
            for (int i = 0; i < 4; i++)
                pthread_join(threads[i], NULL);
            puts("done");
        }}
    """
    program = compiled("program", text, "-ldl", "-lpthread")
    assert with_and_without([program])[0] == "done\n"


def test_python_that_imports_pyav_later():
    script = "import av; print(av.Codec('gvc', 'r').name, av.Codec('gvc', 'w').name)"
    assert run([sys.executable, "-c", script], **plugin.environment()) == "gvc gvc\n"


def test_library_that_is_closed_and_opened_again_is_served():
    script = (
        "import av, ctypes, _ctypes, re\n"
        "path = re.search(r'/\\S*libavcodec[-.]\\S*', open('/proc/self/maps').read())[0]\n"
        "for _ in range(3):\n    _ctypes.dlclose(ctypes.CDLL(path)._handle)\n"
        "print(av.Codec('gvc', 'r').name)"
    )
    assert run([sys.executable, "-c", script], **plugin.environment()) == "gvc\n"


@pytest.fixture(scope="module")
def movie(tmp_path_factory):
    STOCK.require("ffmpeg")
    path = tmp_path_factory.mktemp("late") / "movie.mkv"
    STOCK.ffmpeg(*source(frames=20), *ENCODE, path)
    return path


def require(program, package):
    if STOCK.path(program) is None:
        pytest.skip(f"{program} is not installed (apt-get install {package})")


def gvc_run(*args, **variables):
    command = [sys.executable, "-m", "gvc.cli", "run", *map(str, args)]
    return subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("way", ["preloaded", "gvc run"])
def test_melt(movie, tmp_path, way):
    require("melt", "melt")
    copy = tmp_path / "copy.mkv"
    arguments = ("-silent", movie, "-consumer", f"avformat:{copy}", "vcodec=ffv1", "an=1", "real_time=-1")
    if way == "preloaded":
        STOCK.run("melt", *arguments, variables={"QT_QPA_PLATFORM": "offscreen"})
    else:
        gvc_run("melt", *arguments, QT_QPA_PLATFORM="offscreen")
    assert len(STOCK.packets(copy)) == 20


OPENCV = """
import sys
import cv2
film = cv2.VideoCapture(sys.argv[1])
whole = []
while (read := film.read())[0]:
    whole.append(read[1])
right = 0
for number in (15, 3, 18, 0, 9):
    film.set(cv2.CAP_PROP_POS_FRAMES, number)
    right += (film.read()[1] == whole[number]).all()
print(len(whole), right)
"""


def test_opencv_reads_all_frames_and_any_frame(movie):
    pytest.importorskip("cv2")
    assert gvc_run(sys.executable, "-c", OPENCV, movie).stdout == "20 5\n"


def test_imageio_and_moviepy_start_an_ffmpeg_that_has_gvc(movie):
    pytest.importorskip("imageio_ffmpeg")
    script = "import imageio_ffmpeg, sys; print(imageio_ffmpeg.count_frames_and_secs(sys.argv[1])[0])"
    assert gvc_run(sys.executable, "-c", script, movie).stdout == "20\n"
    own = gvc_run("sh", "-c", "echo $IMAGEIO_FFMPEG_EXE", IMAGEIO_FFMPEG_EXE="/my/ffmpeg")
    assert own.stdout == "/my/ffmpeg\n"


@pytest.mark.parametrize("before", [(), ("--",)], ids=str)
def test_run_leaves_arguments_and_exit_status_to_the_program(before):
    done = gvc_run(*before, "sh", "-c", "echo $0 $1; exit 7", "--help", "-v")
    assert (done.stdout, done.stderr, done.returncode) == ("--help -v\n", "", 7)


@pytest.mark.parametrize("arguments", [(), ("-x",), ("--",), ("no-such-program",), ("/no/such",)], ids=str)
def test_run_says_what_it_needs(arguments):
    done = gvc_run(*arguments)
    assert done.returncode != 0
    assert done.stderr.startswith("gvc: ")
    assert done.stderr.count("\n") == 1


INSTALL = "import {}; from gvc import plugin; print(plugin.install())"


def test_install_says_that_there_is_no_ffmpeg():
    assert "no FFmpeg library is loaded" in run([sys.executable, "-c", INSTALL.format("sys")])


def test_install_names_libraries_with_an_ffmpeg_inside(compiled):
    inside = compiled("filter.so", 'const char *version = "Lavc63.1.101";', "-shared", "-fPIC")
    script = INSTALL.format("av, ctypes, sys; ctypes.CDLL(sys.argv[1])")
    served, out_of_reach = run([sys.executable, "-c", script, inside]).splitlines()
    assert "serves gvc" in served
    assert out_of_reach.startswith(f"{inside} has FFmpeg's libraries inside it")
