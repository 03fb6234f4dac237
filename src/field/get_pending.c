/* SPDX-License-Identifier: Apache-2.0 */
#include "field/get.h"

enum field_result get_aargs(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_abspath(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_acmdline(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_aenv(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_aexe(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_aexepath(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_aname(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_any_ip(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_any_port(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_apid(const struct field_ctx *c, struct field *f, struct value *ret)
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
enum field_result get_args_bytes(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_buffer(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_buflen(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_caps(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_cgroup(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_cgroups(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_clone_ts(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_cmdline(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_connected(const struct field_ctx *c, struct field *f, struct value *ret)
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
enum field_result get_cpu_usage(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_cwd(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_dev(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_duration(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_env(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_exe(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_exe_flag(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_exe_number(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_exectime(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_exectime_total(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_exeline(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_exepath(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_fd_container_directory(const struct field_ctx *c, struct field *f,
					     struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_fd_container_name(const struct field_ctx *c, struct field *f,
					struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_fd_count(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_fd_directory(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_fd_filename(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_fd_flag(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_fd_limit(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_fd_name(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_fd_nameraw(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_fd_num(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_fd_type(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_fd_typechar(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_fd_types(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_fd_uid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_fd_usage(const struct field_ctx *c, struct field *f, struct value *ret)
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
enum field_result get_gid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_group(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_ino(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_ip(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_is_leader(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_is_main(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_is_open(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_is_open_create(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_is_open_exec(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_is_server(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_is_syslog(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_l4proto(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_leader_exe(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_leader_exepath(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_leader_name(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_loginshellid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_loginuid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_main_vm(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_n_args(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_n_children(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_n_threads(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_name_changed(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_name_tid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_page_faults(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_parent_clone_ts(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_parent_duration(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_pgid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_pid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_pidns_start(const struct field_ctx *c, struct field *f, struct value *ret)
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
enum field_result get_port(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_port_text(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_ppid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_proc_args(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_proc_name(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_pvpid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_rawarg(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_sid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_sockfamily(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_std_name(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_std_type(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_tid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_tty(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_uid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_user(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_vm(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_vpgid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_vpid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
enum field_result get_vtid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
