/** Shells and the small programs they are made to combine. */
import { sameAsOnHost } from "./workload.ts";

sameAsOnHost({
  name: "bash forks five hundred subshells",
  needs: ["bash"],
  script: `
n=0
for i in $(seq 500); do (exit $((i % 7))) || n=$((n + $?)); done
echo $n
`,
});

sameAsOnHost({
  name: "bash runs pipelines, here documents, traps and background jobs",
  needs: ["bash"],
  script: `
seq 1000 | tee copy | sort -r | uniq | grep -c 9 | cat
wc -l < copy; diff <(seq 10) <(seq 10) && echo same
trap 'echo usr1' USR1; kill -USR1 $$
sleep 60 & kill %1; wait %1 || echo "ended with $?"
for i in 1 2 3; do (exit $i) & done; wait; echo waited
coproc CAT { cat; }; echo line >&"\${CAT[1]}"; read -r line <&"\${CAT[0]}"; echo "$line"
kill $CAT_PID; wait $CAT_PID || echo $?
exec 5<>fifo.txt; echo text >&5; exec 5>&-; cat fifo.txt
mkfifo pipe; echo through > pipe & cat pipe; wait
yes | head -100000 | md5sum
set +e; (kill -SEGV $BASHPID); echo $?; (ulimit -t 1; ulimit -t); nosuchprogram; echo $?
read -t 0.01 < <(sleep 0.2); test $? -gt 128 && echo timed out
printf '%s\\n' {a..c}{1..2} | paste -sd,
echo $((2**62)) "\${BASH_VERSINFO[0]}" "\${#PATH}" $UID
`,
});

sameAsOnHost({
  name: "sort, xargs -P and timeout run many programs and end them",
  needs: ["sort", "xargs", "timeout", "find"],
  script: `
seq 30000 | sort -R --random-source=/bin/bash | sort -n -S 100k --parallel=2 | md5sum
seq 40 | xargs -P 4 -n 1 sh -c 'echo $(($0 * $0))' | sort -n | md5sum
timeout 0.05 sleep 60 || echo $?
{ timeout -s KILL 0.05 sleep 60; } 2> /dev/null || echo $?
timeout 60 true && echo in time
split -b 10000 -d /bin/bash part.; cat part.* | cmp - /bin/bash; ls part.* | wc -l
`,
});

sameAsOnHost({
  name: "find, ls, du and stat see the host's files as they are",
  needs: ["find", "ls", "du", "stat"],
  script: `
find /usr/share/doc /etc -xdev 2> /dev/null | LC_ALL=C sort | md5sum
find /usr/include -name '*.h' -size +20k -printf '%p %s %m %T@ %n\\n' | sort | md5sum
ls -lnR --time-style=full-iso /usr/lib/bash* /etc/alternatives | md5sum
stat -c '%n %a %u %g %s %h %F %Y' /bin /etc/passwd /bin/sh /usr/bin/passwd
du -s --apparent-size /usr/share/doc/bash | cut -f 1
`,
});

sameAsOnHost({
  name: "tar, gzip, bzip2 and xz keep a tree as it was",
  needs: ["tar", "gzip", "bzip2", "xz"],
  script: `
mkdir -p tree/empty tree/deep/er; cp -r /usr/include/linux/netfilter tree/linux; cp /usr/include/linux/types.h tree/linux
ln -s linux tree/symbolic; ln tree/linux/types.h tree/hard; mkfifo tree/fifo
head -c 100000 /bin/bash > tree/binary; chmod 4711 tree/binary
truncate -s 1M tree/sparse; touch -d '2001-02-03 04:05:06.789' tree/empty tree/binary
for by in gzip bzip2 xz; do
  mkdir out; tar c --$by -f archive.$by tree; tar x --$by -f archive.$by -C out
  diff -r --no-dereference -x fifo tree out/tree && echo $by; rm -r out
done
tar c tree | tar x --xattrs -p --one-top-level=copy
(cd copy && find tree -printf '%p %m %n %l %s %y\\n' | grep -v ' d$' | sort) | md5sum
stat -c '%Y %a' copy/tree/empty copy/tree/binary; test copy/tree/hard -ef copy/tree/linux/types.h
stat -c %b copy/tree/sparse | grep -c .
`,
});
