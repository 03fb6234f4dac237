/* SPDX-License-Identifier: Apache-2.0 */
#include "state/user.h"
#include "base/test.h"

/* A table with its names. */
struct fixture {
	struct slab *slab;
	struct intern *names;
	struct user_table *users;
};

static struct fixture fixture_new(size_t max)
{
	struct fixture f;

	f.slab = slab_new(0);
	f.names = intern_new(f.slab);
	f.users = user_table_new(max, f.names);
	return f;
}

static void fixture_free(struct fixture *f)
{
	user_table_free(f->users);
	CHECK_INT(slab_used(f->slab), 0);
	intern_free(f->names);
	slab_free(f->slab);
}

static bool add(struct fixture *f, struct istr *container, uint32_t uid, const char *name)
{
	struct snap_user u = {.uid = uid, .gid = uid, .name = str_of(name), .home = STR("/home/x")};

	return user_table_add(f->users, container, &u);
}

static const char *name_of(struct fixture *f, const struct istr *container, uint32_t uid)
{
	const struct user *u = user_table_find(f->users, container, uid);

	return u ? u->name->s : "none";
}

TEST(users_are_found_by_id)
{
	struct fixture f = fixture_new(100);

	add(&f, NULL, 33, "www-data");
	CHECK_STR(name_of(&f, NULL, 33), "www-data");
	CHECK_STR(user_table_find(f.users, NULL, 33)->home->s, "/home/x");
	CHECK_STR(user_table_find(f.users, NULL, 33)->shell->s, "<NA>");
	CHECK_STR(name_of(&f, NULL, 34), "none");
	fixture_free(&f);
}

TEST(root_needs_no_row)
{
	struct fixture f = fixture_new(100);

	CHECK_STR(name_of(&f, NULL, 0), "root");
	CHECK_STR(user_table_find(f.users, NULL, 0)->home->s, "/root");
	CHECK_STR(user_table_find(f.users, NULL, 0)->shell->s, "<NA>");
	CHECK_STR(user_table_find_group(f.users, NULL, 0)->name->s, "root");
	add(&f, NULL, 0, "toor");
	CHECK_STR(name_of(&f, NULL, 0), "toor");
	fixture_free(&f);
}

TEST(containers_have_their_own_users)
{
	struct fixture f = fixture_new(100);
	struct istr *id = intern_get(f.names, STR("07de8e811455"));

	add(&f, NULL, 1000, "host-user");
	CHECK_STR(name_of(&f, id, 1000), "none");
	CHECK_STR(name_of(&f, id, 0), "none");
	add(&f, id, 1000, "app");
	CHECK_STR(name_of(&f, id, 1000), "app");
	CHECK_STR(name_of(&f, NULL, 1000), "host-user");
	user_table_remove(f.users, id, 1000);
	CHECK_STR(name_of(&f, id, 1000), "none");
	intern_unref(f.names, id);
	fixture_free(&f);
}

TEST(groups_and_users_do_not_mix)
{
	struct fixture f = fixture_new(100);
	struct snap_group g = {.gid = 5, .name = STR("tty")};

	user_table_add_group(f.users, NULL, &g);
	CHECK_STR(name_of(&f, NULL, 5), "none");
	CHECK_STR(user_table_find_group(f.users, NULL, 5)->name->s, "tty");
	user_table_remove(f.users, NULL, 5);
	CHECK(user_table_find_group(f.users, NULL, 5));
	user_table_remove_group(f.users, NULL, 5);
	CHECK(!user_table_find_group(f.users, NULL, 5));
	fixture_free(&f);
}

TEST(a_row_is_replaced_by_a_newer_one)
{
	struct fixture f = fixture_new(100);

	add(&f, NULL, 7, "old");
	add(&f, NULL, 7, "new");
	CHECK_STR(name_of(&f, NULL, 7), "new");
	CHECK_INT(user_table_count(f.users), 1);
	fixture_free(&f);
}

TEST(a_full_table_refuses_and_counts)
{
	struct fixture f = fixture_new(2);

	CHECK(add(&f, NULL, 1, "a"));
	CHECK(add(&f, NULL, 2, "b"));
	CHECK(!add(&f, NULL, 3, "c"));
	CHECK(add(&f, NULL, 2, "B"));
	CHECK_INT(user_table_refused(f.users), 1);
	CHECK_INT(user_table_count(f.users), 2);
	fixture_free(&f);
}

TEST(minus_one_is_no_user)
{
	struct fixture f = fixture_new(10);

	CHECK(!add(&f, NULL, UINT32_MAX, "nobody"));
	CHECK_STR(name_of(&f, NULL, UINT32_MAX), "none");
	fixture_free(&f);
}

TEST(many_users_are_all_found)
{
	struct fixture f = fixture_new(10000);

	for (uint32_t i = 1; i <= 3000; i++)
		add(&f, NULL, i, i % 2 ? "odd" : "even");
	for (uint32_t i = 1; i <= 3000; i++)
		CHECK_STR(name_of(&f, NULL, i), i % 2 ? "odd" : "even");
	fixture_free(&f);
}

TEST(addresses_of_interfaces_and_loopback_are_local)
{
	struct slab *slab = slab_new(0);
	struct intern *names = intern_new(slab);
	struct interface_list l = {0};
	struct snap_interface eth0 = {.addr = {10, 0, 0, 5}, .name = STR("eth0")};
	struct snap_interface six = {.is_v6 = true, .addr = {0xfe, 0x80, 1}, .name = STR("eth0")};
	uint8_t lo4[4] = {127, 0, 0, 9}, lo6[16] = {[15] = 1}, other[4] = {10, 0, 0, 6};
	uint8_t none4[4] = {0}, none6[16] = {0};

	interface_list_add(&l, &eth0, names);
	interface_list_add(&l, &six, names);
	CHECK(interface_list_is_local(&l, eth0.addr, false));
	CHECK(interface_list_is_local(&l, six.addr, true));
	CHECK(interface_list_is_local(&l, lo4, false));
	CHECK(interface_list_is_local(&l, lo6, true));
	CHECK(interface_list_is_local(&l, none6, true));
	CHECK(!interface_list_is_local(&l, none4, false));
	CHECK(!interface_list_is_local(&l, other, false));
	interface_list_clear(&l, names);
	CHECK_INT(slab_used(slab), 0);
	intern_free(names);
	slab_free(slab);
}

TEST(a_local_row_stands_in_once_a_process_has_its_id)
{
	struct fixture f = fixture_new(100);
	struct snap_user local = {.uid = 1000,
				  .gid = 1000,
				  .name = STR("ada"),
				  .home = STR("/home/ada"),
				  .is_local = true};
	struct snap_group group = {.gid = 1000, .name = STR("ada"), .is_local = true};

	user_table_add(f.users, NULL, &local);
	user_table_add_group(f.users, NULL, &group);
	CHECK_STR(name_of(&f, NULL, 1000), "none");
	user_table_adopt(f.users, 1000);
	user_table_adopt_group(f.users, 1000);
	CHECK_STR(name_of(&f, NULL, 1000), "ada");
	CHECK_STR(user_table_find_group(f.users, NULL, 1000)->name->s, "ada");
	fixture_free(&f);
}

TEST(a_recorded_row_wins_over_a_local_one)
{
	struct fixture f = fixture_new(100);
	struct snap_user local = {.uid = 33, .name = STR("local"), .is_local = true};

	user_table_add(f.users, NULL, &local);
	add(&f, NULL, 33, "recorded");
	user_table_adopt(f.users, 33);
	CHECK_STR(name_of(&f, NULL, 33), "recorded");
	fixture_free(&f);
}
