#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# Run the native code under AddressSanitizer, UndefinedBehaviorSanitizer and LeakSanitizer.
#   tools/sanitize.sh PYTHON SECONDS        PYTHON has gvc and the packages of its tests. Exits with 1 after a finding.
# Each of these gets a third of the time: libgvc with hostile engines, the inputs of the fuzzer, the tests of the kernels.
# The build in build/sanitize takes additional time, but only changed sources are compiled again.
set -eu
python=$(cd "$(dirname "$1")" && pwd)/$(basename "$1") seconds=$2
cd "$(dirname "$0")/.."
build=$PWD/build/sanitize
package=$build/package
flags="-O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
cxx=${CXX:-c++} cc=${CC:-cc}
export cxx flags build
KERNELS="tests/test_entropy.py tests/test_codebook.py tests/test_motion.py tests/test_kernels.py
    tests/test_local_velocity.py tests/test_correction.py tests/test_gp.py tests/test_bitstream.py tests/test_gop.py
    tests/test_loop.py tests/test_robustness.py tests/test_concealment.py"

# A copy of the package without its native parts.
rm -rf "$package"
mkdir -p "$package" "$build/objects"
cp -rs "$PWD/gvc" "$package/gvc"
ln -s "$PWD/container" "$package/gvc_container"
rm -rf "$package"/gvc/*.so "$package/gvc/lib"

include=$("$python" -c 'import sysconfig, pybind11; print("-I" + sysconfig.get_path("include"), "-I" + pybind11.get_include())')
suffix=$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')
export include
headers=$(ls -t gvc/native/*.h* | head -n 1)
for source in gvc/native/*.cpp; do
    object=$build/objects/${source##*/}.o
    [ "$object" -nt "$source" ] && [ "$object" -nt "$headers" ] || echo "$source"
done >"$build/stale"
# Floating-point contraction is set as in setup.py, so that results are equal to the bit.
xargs -P "$(nproc)" -I{} sh -c '$cxx -std=c++17 -fPIC -fvisibility=hidden -ffp-contract=off $flags $include \
    -c {} -o "$build/objects/new-$$.o" && mv "$build/objects/new-$$.o" "$build/objects/$(basename {}).o"' <"$build/stale"
if [ -s "$build/stale" ] || [ ! -e "$build/native.so" ]; then
    $cxx -shared $flags "$build"/objects/*.cpp.o -o "$build/native.so"
fi
ln -s "$build/native.so" "$package/gvc/_native$suffix"
cmake -S . -B "$build/cmake" -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="$flags" -DGVC_PYTHON_PACKAGE=ON >"$build/cmake.log"
cmake --build "$build/cmake" --parallel --target gvc >>"$build/cmake.log"
mkdir -p "$package/gvc/lib/include"
ln -s "$build/cmake/libgvc.so" "$package/gvc/lib"
ln -s "$PWD"/ffmpeg_bridge/include/*.h "$package/gvc/lib/include"

# Python's own allocator is switched off, since it looks like leaks and hides overruns. Known leaks of libraries are in
# tests/lsan.txt.
libraries="$($cc -print-file-name=libasan.so) $($cc -print-file-name=libubsan.so)"
export PYTHONMALLOC=malloc PYTHONPATH="$package:$PWD/tests" PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 GVC_SERVE=0
export UBSAN_OPTIONS=print_stacktrace=1 LSAN_OPTIONS="suppressions=$PWD/tests/lsan.txt:print_suppressions=0"
without_leaks=detect_leaks=0:allocator_may_return_null=1

run() { # NAME ASAN_OPTIONS SECONDS COMMAND...: to its end or to the end of its time
    name=$1 options=$2 limit=$3
    shift 3
    [ "$limit" -gt 0 ] || limit=1
    code=0
    timeout --kill-after=10 "$limit" env ASAN_OPTIONS="$options" LD_PRELOAD="$libraries" "$@" >"$build/$name.log" 2>&1 || code=$?
    if [ $code != 0 ] && [ $code != 124 ] || grep -qE 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$build/$name.log"; then
        tail -n 60 "$build/$name.log"
        echo "sanitize: $name found something, exit code $code; all of it: $build/$name.log" >&2
        exit 1
    fi
    echo "sanitize: $name, nothing found: $(grep -E '^[0-9]+ sessions|^ok' "$build/$name.log" || echo "$(grep -c PASSED "$build/$name.log") tests")"
}

run import "$without_leaks" 60 "$python" -P -c "import gvc._native as n; assert n.__file__.startswith('$package'); print('ok')"

third=$((seconds / 3))
run hostile-engine detect_leaks=1:malloc_context_size=2 $((third + 30)) "$python" -P -m hostile --seconds $third
run fuzz-inputs "$without_leaks" $third "$python" -P -m pytest -v -p no:cacheprovider tests/test_fuzz.py -k 'not neural'
run kernels "$without_leaks" $third "$python" -P -m pytest -v -x -p no:cacheprovider $KERNELS
