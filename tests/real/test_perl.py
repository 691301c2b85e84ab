"""Debian's full perl for arm64, with modules in C, processes, pipes and signals."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.conftest import dynamic
from tests.real.running import Program

TEXT = r"""
use strict; use warnings; use utf8;
use List::Util qw(sum first reduce shuffle);
my %seen;
$seen{lc $1}++ while "The quick brown fox jumps over the lazy dog; the end" =~ /(\w+)/g;
print join(",", map { "$_=$seen{$_}" } sort { $seen{$b} <=> $seen{$a} || $a cmp $b } keys %seen), "\n";
(my $text = "a1b22c333") =~ s/(\d+)/<@{[ length $1 ]}>/g;
printf "%s %05.2f %-5s|%x|%e|%s\n", $text, 3.14159, "ab", 255, 12345.678, 2**53;
print sum(1 .. 100), " ", first { $_ > 3 } (1 .. 9); print " ", reduce { $a * $b } 1 .. 10; print "\n";
binmode STDOUT, ":utf8";
print scalar reverse("straße"), " ", uc "straße", " ", length "straße", "\n";
print "match $1 $+{year}\n" if "on 2026-11-23" =~ /(?<year>\d{4})-(?=11)/;
my @sorted = sort { $a->[1] <=> $b->[1] } map { [$_, ($_ * 7919) % 101] } 1 .. 20;
print join(" ", map { $_->[0] } @sorted), "\n";
print sprintf("%vd", v1.22.333), " ", join("|", unpack "A2 n N/a*", pack "A2 n N/a*", "x", 258, "abc"), "\n";
local $@; eval { die { code => 42 } }; print "died with $@->{code}\n";
print eval("1 +") // "syntax error", "\n";
"""

TEXT_SAID = """\
the=3,brown=1,dog=1,end=1,fox=1,jumps=1,lazy=1,over=1,quick=1
a<1>b<2>c<3> 03.14 ab   |ff|1.234568e+04|9.00719925474099e+15
5050 4 3628800
eßarts STRASSE 6
match 2026 2026
5 10 15 20 3 8 13 18 1 6 11 16 4 9 14 19 2 7 12 17
1.22.333 x|258|abc
died with 42
syntax error
"""

MODULES = r"""
use strict; use warnings;
use Digest::SHA qw(sha256_hex); use MIME::Base64; use POSIX qw(strftime floor setlocale LC_ALL :sys_wait_h);
use Storable qw(freeze thaw dclone); use Data::Dumper; use Time::HiRes qw(sleep time); use Encode; use JSON::PP;
use Compress::Zlib; use Math::BigInt; use File::Temp qw(tempdir); use File::Find; use Cwd; use Socket; use IO::Select;
print sha256_hex("abc"), "\n", encode_base64("hello, world"), strftime("%Y-%m-%d", gmtime(86400)), "\n";
$Data::Dumper::Sortkeys = $Data::Dumper::Indent = 1;
print Dumper(thaw(freeze({ list => [1, 2, { deep => "x" }], name => "n" })));
print JSON::PP->new->ascii->canonical->encode({ b => [1, 2.5, undef], a => "\x{e9}" }), "\n";
print length(Compress::Zlib::compress("abc" x 1000)) < 50 ? "small\n" : "large\n";
print Math::BigInt->new(2)->bpow(200), " ", floor(-2.5), "\n";
my $folder = tempdir(CLEANUP => 1);
mkdir "$folder/c";
for my $name (qw(b a c/d)) { open my $f, ">", "$folder/$name" or die $!; print $f $name; }
my @found; find(sub { push @found, $File::Find::name =~ s/^\Q$folder\E\/?//r if -f }, $folder);
print join(" ", sort @found), " ", -s "$folder/c/d", "\n";
"""

MODULES_SAID = """\
ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
aGVsbG8sIHdvcmxk
1970-01-02
$VAR1 = {
  'list' => [
    1,
    2,
    {
      'deep' => 'x'
    }
  ],
  'name' => 'n'
};
{"a":"\\u00e9","b":[1,2.5,null]}
small
1606938044258990275541962092341162602522202993782792835301376 -3
a b c/d 3
"""

PROCESSES = r"""
use strict; use warnings; use POSIX ":sys_wait_h"; use Socket; use IO::Handle;
$| = 1;
my @children = map { my $n = $_; my $pid = fork // die; if (!$pid) { exit $n } $pid } 1 .. 5;
my $sum = 0; for (@children) { waitpid $_, 0; $sum += $? >> 8 } print "children $sum\n";
open my $out, "-|", $^X, "-e", 'print "from a pipe\n"; exit 3' or die; print <$out>;
close $out; print "status ", $? >> 8, "\n";
print "backticks ", `echo shell; exit 2`; print "status ", $? >> 8, "\n";
my $got = 0; local $SIG{USR1} = sub { $got++ }; kill USR1 => $$ for 1 .. 3; print "signals $got\n";
my $late = ""; eval { local $SIG{ALRM} = sub { die "alarm\n" }; alarm 1; select undef, undef, undef, 20; }; print $@;
socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die;
$_->autoflush(1) for $a, $b;
if (!fork) { close $a; while (<$b>) { print $b uc } exit } close $b;
print $a "over a socket\n"; print scalar <$a>; close $a; wait; print "ended $?\n";
my $pid = fork // die; if (!$pid) { sleep 60; exit } kill TERM => $pid; waitpid $pid, 0;
print "killed by ", $? & 127, "\n";
exec "/bin/echo", "replaced" or die;
"""

PROCESSES_SAID = """\
children 15
from a pipe
status 3
backticks shell
status 2
signals 3
alarm
OVER A SOCKET
ended 0
killed by 15
replaced
"""


@pytest.fixture(scope="session")
def perl() -> Program:
    return dynamic("perl", "usr/bin/perl", "dash", "coreutils")


@pytest.mark.parametrize(
    ("script", "said"),
    [(TEXT, TEXT_SAID), (MODULES, MODULES_SAID), (PROCESSES, PROCESSES_SAID)],
    ids=["text", "modules", "processes"],
)
def test_script(perl: Program, script: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "script.pl").write_text(script)
    perl.prints(said, "script.pl", folder=tmp_path)


def test_threads(perl: Program, tmp_path: Path) -> None:
    script = (
        "use threads; use threads::shared; my $n :shared = 0;"
        "$_->join for map { threads->create(sub { for (1 .. 50) { lock $n; $n++ } }) } 1 .. 4; print qq{$n\\n}"
    )
    perl.prints("200\n", "-e", script, folder=tmp_path)
