/*
 * service.c: orders to the service thread of a stub, which alone may make
 * memory calls there. The order is written to a page that the stub can only
 * read; the answer comes through the orders file, which guests cannot write.
 */
#include <errno.h>
#include <string.h>
#include "host_calls.h"
#include "systrap_platform.h"

static bool answered(const struct stub *stub)
{
	return __atomic_load_n(&stub->orders->done, __ATOMIC_ACQUIRE) ==
	       stub->orders->seq;
}

/* The service thread is to run on our CPU: then it can as soon as we sleep,
 * and we can as soon as it does. */
static void call_here(struct stub_orders *orders)
{
	uint32_t cpu = current_cpu();

	if (orders->cpu == cpu + 1)
		return;
	memset(orders->cpus, 0, CPU_MASK_BYTES);
	if (cpu / 8 >= CPU_MASK_BYTES)
		return;
	orders->cpus[cpu / 8] = (uint8_t)(1 << cpu % 8);
	orders->cpu = cpu + 1;
}

static int await_answer(struct rsp_platform *p, struct stub *stub)
{
	sleep_going(p);
	for (;;) {
		reap(p);
		if (answered(stub) || stub->dead)
			break;
		sleep_on_event(p, -1);
		sleep_going(p);
	}
	sleep_gone(p);
	return answered(stub) ? 0 : -ESRCH;
}

int service_order(struct rsp_platform *p, struct stub *stub,
		  const struct order *order)
{
	struct stub_orders *orders = stub->orders;
	int rc;

	if (stub->dead)
		return -ESRCH;
	orders->op = order->op;
	orders->count = order->count;
	orders->arg0 = order->arg0;
	orders->arg1 = order->arg1;
	orders->error = 0;
	call_here(orders);
	__atomic_store_n(&orders->seq, orders->seq + 1, __ATOMIC_SEQ_CST);
	host_wake(&orders->seq);
	if (order->op == ORDER_EXIT)
		return 0;	/* who is to answer? */
	rc = await_answer(p, stub);
	return rc < 0 ? rc : -(int)orders->error;
}
