# An hour of a shell's life: a repository is made, cloned, changed and merged; a Makefile is built; all is archived.
set -eu -o pipefail
export HOME=$PWD/home GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_DATE='2024-01-01T00:00:00Z' GIT_COMMITTER_DATE='2024-01-01T00:00:00Z'
mkdir home
git config --global user.name 'A Person'
git config --global user.email person@example.org
git config --global init.defaultBranch main

git init -q origin
cp Makefile origin/
for part in {1..12}; do seq "$part" $((part * 40)) > "origin/in$part.txt"; done
git -C origin add .
git -C origin commit -q -m first
git clone -q "file://$PWD/origin" work
cd work
git checkout -q -b other
sed -i 's/7/seven/' in3.txt
git commit -q -a -m second
git checkout -q main
echo more >> in4.txt
git commit -q -a -m third
git merge -q -m merged other
git gc -q
git fsck --no-progress
git log --format=%s --reverse
git diff --stat HEAD~1 | tail -n 1

make -s -j4
make -s -j4 -q && echo 'up to date'
find . -name .git -prune -o -type f -print0 | sort -z | xargs -0 sha256sum > ../sums
cd ..
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --exclude=.git -cJf archive.tar.xz work
gawk '{ n[length($1)]++ } END { for (k in n) print k, n[k] }' sums
grep -c 'out[0-9]*\.txt$' sums
(exit 3) || echo "a subshell's status: $?"
sleep 100 & kill %1; wait %1 || echo "a job's end: $?"
trap 'echo trapped' EXIT
xz -t archive.tar.xz
tar -tf archive.tar.xz | while read -r name; do echo "${name##*/}"; done | sort -r | head -n 3
