/* placement.c: placeholder */
#include "ptrace_platform.h"
void placement_open(struct rsp_platform *p){(void)p;}
void placement_close(struct rsp_platform *p){(void)p;}
void placement_service(struct rsp_platform *p, struct host_thread *t){(void)p;(void)t;}
void placement_resume(struct rsp_platform *p, struct host_thread *t){(void)p;(void)t;}
void placement_stopped(struct rsp_platform *p, struct host_thread *t){(void)p;(void)t;}
int64_t placement_tick(struct rsp_platform *p, int64_t now_ns){(void)p;(void)now_ns;return 0;}
