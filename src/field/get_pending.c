/* SPDX-License-Identifier: Apache-2.0 */
#include "field/get.h"

enum field_result get_abspath(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_arg(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_args(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_buffer(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_container_duration(const struct field_ctx *c, struct field *f,
					 struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_container_flag(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_container_id(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_container_label(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_container_labels(const struct field_ctx *c, struct field *f,
				       struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_container_mount(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_container_mounts(const struct field_ctx *c, struct field *f,
				       struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_container_start(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_container_text(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_container_type(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_fdlist(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_fs_path(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_pod_label(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_pod_label_text(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_pod_labels(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_pod_sandbox_id(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_pod_text(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_rawarg(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
