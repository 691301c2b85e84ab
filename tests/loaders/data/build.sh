#!/bin/sh
# Builds the ELF files beside it: sh build.sh, with Python's ziglang 0.17.1 installed.
set -e
cd "$(dirname "$0")"
cc="${PYTHON:-python3} -m ziglang cc -ffreestanding -nostdlib -Os -s -Wl,-e,_start"
for target in x86-linux-musl x86_64-linux-musl arm-linux-musleabihf aarch64-linux-musl riscv64-linux-musl \
    mips-linux-musleabi mipsel-linux-musleabi mips64-linux-muslabi64 mips64el-linux-muslabi64 \
    powerpc-linux-musleabi powerpc64-linux-musl powerpc64le-linux-musl s390x-linux-musl; do
    $cc -target $target -o static-${target%%-*} tiny.c
done
$cc -target x86_64-linux-musl -fPIE -static-pie -o static-pie-x86_64 tiny.c
for target in aarch64-linux-gnu powerpc-linux-gnueabi s390x-linux-gnu; do
    $cc -target $target -fPIC -shared -DSHARED -Wl,-soname,libtiny.so.1 -o shared-${target%%-*} tiny.c
done
printf '#include <stdio.h>\nint main(void) { return puts("hello") < 0; }\n' > puts.c
for target in x86_64-linux-gnu arm-linux-gnueabihf; do
    ${PYTHON:-python3} -m ziglang cc -target $target -Os -s -o dynamic-${target%%-*} puts.c
done
rm puts.c
