/* SPDX-License-Identifier: Apache-2.0 */
/* What cppcheck must know of macros in headers that it does not read: tools/analyze. */
#define TAILQ_HEAD(name, type) struct name { struct type *first, **last; }
#define TAILQ_ENTRY(type) struct { struct type *next, **prev; }
#define json_array_foreach(list, i, item) for ((i) = 0; ((item) = json_array_get(list, i)); (i)++)
#define json_object_foreach(map, key, item) while ((key = json_next(map)) && ((item) = json_object_get(map, key)))
#define bpf_object__for_each_program(at, o) while (((at) = bpf_object__next_program(o, at)))
#define bpf_object__for_each_map(at, o) while (((at) = bpf_object__next_map(o, at)))
#define SLIST_FOREACH(at, head, field) for ((at) = (head)->slh_first; (at); (at) = (at)->field.sle_next)
#define LIBBPF_OPTS(type, name, ...) struct type name = {__VA_ARGS__}
