/** Compilers, linkers and make: what they build runs. */
import { sameAsOnHost } from "./workload.ts";

sameAsOnHost({
  name: "gcc builds a program from several files, which runs",
  needs: ["gcc"],
  script: `
cat > one.c <<'END'
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
int twice(int);
int main(int argc, char **argv) {
  char *text = malloc(100);
  snprintf(text, 100, "%s %d %.3f", argv[1], twice(argc), sqrt(2));
  puts(text);
  free(text);
  return argc;
}
END
echo 'int twice(int n) { return 2 * n; }' > two.c
gcc -Wall -O2 -g -o program one.c two.c -lm
./program dynamic || echo $?
gcc -static -O1 -o fixed one.c two.c -lm
./fixed static || echo $?
gcc -shared -fPIC -o libtwo.so two.c
gcc -o shared one.c -L. -ltwo -lm -Wl,-rpath,"$PWD"
./shared shared || echo $?
ar rc libtwo.a two.c; ar t libtwo.a
strip program; nm -D program | grep -c sqrt || true
echo 'int main(void) { return undeclared; }' > wrong.c
gcc wrong.c 2>&1 || echo $?
`,
});

sameAsOnHost({
  name: "g++ builds a program with threads and exceptions, which runs",
  needs: ["g++"],
  script: `
cat > program.cc <<'END'
#include <atomic>
#include <future>
#include <iostream>
#include <map>
#include <stdexcept>
#include <thread>
#include <vector>
int main() {
  std::atomic<int> count{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; i++)
    threads.emplace_back([&] { for (int j = 0; j < 10000; j++) count++; });
  for (auto &thread : threads) thread.join();
  auto later = std::async(std::launch::async, []() -> int {
    throw std::runtime_error("thrown in a thread");
  });
  std::map<std::string, int> map{{"a", 1}, {"b", 2}};
  std::cout << count << " " << map["b"] << std::endl;
  try { later.get(); } catch (const std::exception &e) { std::cout << e.what() << "\\n"; }
}
END
g++ -std=c++17 -O1 -pthread -o program program.cc
./program
`,
});

sameAsOnHost({
  name: "make -j4 builds thirty files and does not build them again",
  needs: ["make", "gcc"],
  script: `
{
  echo '#include <stdio.h>'
  for i in $(seq 30); do echo "int f$i(void);"; done
  echo 'int main(void) { int sum = 0;'
  for i in $(seq 30); do echo "sum += f$i();"; done
  echo 'printf("%d\\n", sum); return 0; }'
} > main.c
for i in $(seq 30); do echo "int f$i(void) { return $i; }" > "f$i.c"; done
printf '%s\\n' 'OBJECTS = $(patsubst %.c,%.o,$(wildcard *.c))' \
  'program: $(OBJECTS)' '	@cc -o $@ $^' \
  '%.o: %.c' '	@cc -c -o $@ $<' > Makefile
make -j4
./program
make -j4
touch -d '1 hour' f7.c
make -n | sed 's/ -o program.*//'
echo 'fail: ; exit 3' > Makefile
make -k 2>&1 || echo $?
`,
});

sameAsOnHost({
  name: "go builds a program with goroutines, which runs",
  needs: ["go"],
  script: `
export GO111MODULE=off
cat > program.go <<'END'
package main

import ("fmt"; "os/exec"; "sync"; "time"; "runtime")

func main() {
	var group sync.WaitGroup
	sums := make(chan int, 1000)
	for i := 0; i < 1000; i++ {
		group.Add(1)
		go func(n int) { defer group.Done(); time.Sleep(time.Millisecond); sums <- n }(i)
	}
	group.Wait(); close(sums)
	total := 0
	for n := range sums { total += n }
	runtime.GC()
	out, err := exec.Command("sh", "-c", "echo hi; exit 3").Output()
	fmt.Println(total, string(out), err)
}
END
go build -o program program.go && ./program
`,
});

sameAsOnHost({
  name: "java runs threads, programs and a collection",
  needs: ["java"],
  script: `
cat > Program.java <<'END'
import java.util.concurrent.*;
public class Program {
  public static void main(String[] args) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(4);
    long sum = 0;
    Callable<Integer> task = () -> new byte[1 << 20].length;
    for (Future<Integer> done : pool.invokeAll(java.util.Collections.nCopies(50, task)))
      sum += done.get();
    pool.shutdown();
    System.gc();
    Process process = new ProcessBuilder("sh", "-c", "echo hi; exit 3").start();
    System.out.print(new String(process.getInputStream().readAllBytes()));
    System.out.println(sum + " " + process.waitFor() + " " + Runtime.getRuntime().availableProcessors());
  }
}
END
java Program.java
`,
});
