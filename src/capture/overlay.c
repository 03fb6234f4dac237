/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/overlay.h"

#include <string.h>

/* Of a member, in bytes; *ret is untouched where there is none. */
static bool find_member(const struct btf *b, const char *type, const char *name, uint32_t *ret)
{
	int id = btf__find_by_name_kind(b, type, BTF_KIND_STRUCT);
	const struct btf_type *t = id > 0 ? btf__type_by_id(b, (uint32_t)id) : NULL;

	for (unsigned i = 0; t && i < btf_vlen(t); i++) {
		if (strcmp(btf__name_by_offset(b, btf_members(t)[i].name_off), name))
			continue;
		*ret = btf_member_bit_offset(t, i) / 8;
		return true;
	}
	return false;
}

/* From 6.5 on the inode has the entry; before that the dentry had it. */
static bool find_layout(const struct btf *b, struct overlay_layout *ret)
{
	uint32_t stack, dentry, inode, entry;

	if (!find_member(b, "ovl_path", "dentry", &dentry))
		return false;
	if (find_member(b, "ovl_inode", "oe", &entry) &&
	    find_member(b, "ovl_inode", "vfs_inode", &inode) && entry > inode &&
	    find_member(b, "ovl_entry", "__lowerstack", &stack))
		*ret = (struct overlay_layout){entry - inode, stack + dentry};
	else if (find_member(b, "ovl_entry", "lowerstack", &stack))
		*ret = (struct overlay_layout){0, stack + dentry};
	else
		return false;
	return true;
}

void overlay_find_layout(struct btf *kernel, struct overlay_layout *ret)
{
	struct btf *module;

	*ret = (struct overlay_layout){0, 0};
	if (find_layout(kernel, ret))
		return;
	module = btf__parse_split("/sys/kernel/btf/overlay", kernel);
	if (!libbpf_get_error(module))
		find_layout(module, ret);
	btf__free(module);
}
