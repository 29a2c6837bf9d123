/** Programs that look at processes and at the machine through proc. */
import { sameAsOnHost } from "./workload.ts";

sameAsOnHost({
  name: "ps, pgrep, pkill, kill and wait agree on the processes there are",
  needs: ["ps", "pgrep", "pkill"],
  script: `
sleep 60 & one=$!; sleep 61 & two=$!
ps -o comm=,args=,stat=,ni= --ppid $$ | grep sleep; ps -o ppid= $one $two | sort -u | wc -l
pgrep -P $$ -a sleep | cut -d' ' -f2-; pkill -P $$ -f 'sleep 61'; wait $two || echo $?
kill -STOP $one; while ps -o stat= $one | grep -q '^S'; do :; done; ps -o stat= $one | cut -c1
kill -CONT $one; kill $one; wait $one || echo $?
ps -o tty=,user=,group=,nlwp= $$; ps -o lstart= $$ | wc -w; ps aux | head -1 | tr -s ' '
ps -eo pid,ppid,comm | awk -v me=$$ '$1 == me { print $3 }'
tr '\\0' ' ' < /proc/self/cmdline; readlink /proc/self/exe; readlink /proc/$$/cwd | grep -c .
cat /proc/self/comm; awk '{ print NF }' /proc/self/stat; grep -c . /proc/$$/status > /dev/null
readlink /proc/self/fd/3 3< /etc/passwd; wc -l < /proc/self/limits; cat /proc/$$/environ | tr '\\0' '\\n' | grep LANG
`,
});

sameAsOnHost({
  name: "free, df, uptime, top, nproc and lscpu describe the machine",
  needs: ["free", "df", "uptime", "top", "nproc", "lscpu"],
  script: `
nproc; getconf _NPROCESSORS_ONLN PAGE_SIZE; uname -s -m
free -b | awk '{ print $1, NF } /^Mem/ { if ($2 >= $3 + 0 && $2 > 0) print "plausible" }'
df -P / | head -1; df -P / | awk 'NR == 2 { print $6, $2 >= $3 }'
uptime -p | cut -d' ' -f1; cut -d' ' -f1 /proc/uptime | grep -cE '^[0-9]+\\.[0-9]{2}$'
top -bn1 | awk '/PID/ { print $2, $NF }'; top -bn1 -p $$ | tail -1 | awk '{ print $2, $NF }'
lscpu | grep -E '^(Architecture|Byte Order|Vendor ID|Model name)'; awk '/^processor/' /proc/cpuinfo | wc -l
grep -cw fpu /proc/cpuinfo; stat -f -c %T /proc; mount | grep -c ' /proc '; cat /proc/filesystems | grep -w tmpfs
id; whoami; groups; hostname | wc -l; date -d @0; ulimit -n | grep -c .; locale | head -1; tty || true
`,
});
