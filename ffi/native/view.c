/*
 * view.c: an ArrayBuffer over memory that V8 shall not count (lasting_view.ts).
 * This file alone speaks Node-API, to the program that has loaded the library;
 * a program without it can load the library all the same.
 */
#include "host.h"

#include <stddef.h>

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef void napi_finalize(napi_env env, void *data, void *hint);

__attribute__((weak)) extern int
napi_create_external_arraybuffer(napi_env env, void *data, size_t length,
				 napi_finalize *finalize, void *hint,
				 napi_value *result);
__attribute__((weak)) extern int
napi_adjust_external_memory(napi_env env, int64_t change, int64_t *total);

/* What the next call of napi_register_module_v1 is to make a view of: Node-API
 * calls that with nothing of ours. Used by one thread, while it starts. */
static struct {
	void *base;
	double bytes;
} next;

HOST_EXPORT void host_view_next(void *base, double bytes)
{
	next.base = base;
	next.bytes = bytes;
}

static void keep(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)data;
	(void)hint;
}

/* The view; `exports`, if there is none to be had. V8 never comes between the
 * two calls, so it does not see the memory grow. */
HOST_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports)
{
	napi_value view;
	int64_t total;

	if (next.base == NULL || napi_create_external_arraybuffer == NULL ||
	    napi_adjust_external_memory == NULL ||
	    napi_create_external_arraybuffer(env, next.base,
					     (size_t)next.bytes, keep, NULL,
					     &view) != 0)
		return exports;
	napi_adjust_external_memory(env, -(int64_t)next.bytes, &total);
	next.base = NULL;
	return view;
}
