/** Programs that keep data in files and trust what the kernel says of them. */
import { sameAsOnHost } from "./workload.ts";

sameAsOnHost({
  name: "git makes, packs, clones, merges and checks repositories",
  needs: ["git"],
  script: `
export GIT_AUTHOR_DATE=2020-01-01T00:00:00Z GIT_COMMITTER_DATE=2020-01-01T00:00:00Z
git config --global user.name Name; git config --global user.email name@example.org
git config --global init.defaultBranch main; git config --global advice.detachedHead false
mkdir repository; cd repository; git init -q
for i in $(seq 100); do echo $i > "file $i"; done; mkdir sub; ln -s .. sub/link
git add .; git commit -qm one; git log --oneline; git status --short
git checkout -qb side; echo side >> 'file 7'; git commit -qam two
git checkout -q main; echo main >> 'file 8'; chmod +x 'file 9'; git commit -qam three
git merge -q -m four side; git log --graph --oneline --stat | tail -20
echo changed > 'file 1'; git stash -q; git stash pop -q; git diff --stat; git checkout -q .
git gc -q --aggressive; git count-objects -v | grep in-pack; git fsck --full
git clone -q . ../clone; cd ../clone; git log --oneline | wc -l
git bisect start -q HEAD HEAD~2 > /dev/null; git worktree add -q ../tree HEAD~1; ls ../tree | wc -l
git grep -c side | sort; git archive HEAD | tar t | tail -1
`,
});

sameAsOnHost({
  name: "sqlite3 shares a database in each journal mode",
  needs: ["sqlite3"],
  script: `
for mode in delete truncate persist memory wal; do
  sqlite3 $mode.db "pragma journal_mode=$mode; create table t(a integer primary key, b);"
  for i in 1 2 3 4; do
    sqlite3 -cmd '.timeout 60000' $mode.db "begin immediate;
      insert into t(b) select hex(randomblob(50)) from
        (with recursive n(i) as (select 1 union all select i+1 from n where i<200) select i from n);
      commit;" > /dev/null &
  done
  wait
  sqlite3 $mode.db "select count(*), max(a) from t; pragma integrity_check; vacuum; delete from t where a > 10; select count(*) from t;"
done
sqlite3 :memory: "select sum(value) from generate_series(1,100000)"
ls *.db*
`,
});

sameAsOnHost({
  name: "vim edits a file without a terminal",
  needs: ["vim"],
  script: `
printf 'one\\ntwo\\nthree\\n' > text
vim -es -u NONE -N -c '%s/t/T/g' -c '2delete' -c '$put =strftime(\\"%Y\\", 0)' \
  -c 'r !echo from a program' -c 'wq' text
cat text; ls -A
`,
});

sameAsOnHost({
  name: "perl forks, opens pipes and two-way programs, and sorts",
  needs: ["perl"],
  script: `
cat > program.pl <<'END'
use strict; use warnings; use IPC::Open3; use POSIX ":sys_wait_h"; use Socket; use File::Find;
my %h = (a => 1, b => 2); print join(",", map { "$_=$h{$_}" } sort keys %h), "\\n";
my $pid = fork // die; exit 3 unless $pid; waitpid $pid, 0; print $? >> 8, "\\n";
print \`echo hi\`; open my $p, "-|", "seq", 5 or die; print map { $_ * 2, "\\n" } <$p>; close $p;
my $q = open3(my $in, my $out, undef, "tr", "a-z", "A-Z"); print $in "text\\n"; close $in; print <$out>; waitpid $q, 0;
local $SIG{ALRM} = sub { die "alarm\\n" }; eval { alarm 1; select undef, undef, undef, 60; }; print $@;
socketpair my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die; syswrite $a, "pair\\n"; print scalar readline $b;
my $n = 0; find(sub { $n++ if /\\.h$/ }, "/usr/include/linux"); print "$n\\n";
open my $f, "+>", "file" or die; print $f "abc" x 10; seek $f, 3, 0; read $f, my $s, 6; print "$s\\n";
truncate $f, 5; print -s $f, "\\n"; print join(" ", (stat "file")[2, 3, 7]), "\\n"; unlink "file"; print -e "file" ? 1 : 0, "\\n";
END
perl program.pl
`,
});

sameAsOnHost({
  name: "dpkg and apt-get read their databases",
  needs: ["dpkg", "apt-get"],
  script: `
apt-get --version > version; head -1 version
dpkg -l | md5sum; dpkg -S /bin/bash; dpkg -L bash | wc -l
mkdir -p p/DEBIAN p/usr/share/doc/small
printf '%s\\n' 'Package: small' 'Version: 1' 'Architecture: all' \
  'Maintainer: Name <name@example.org>' 'Description: nothing' > p/DEBIAN/control
echo text > p/usr/share/doc/small/text
dpkg-deb --root-owner-group -b p small.deb; dpkg-deb -c small.deb | cut -c 1-22; dpkg -I small.deb | grep Package
`,
});
