/* SPDX-License-Identifier: Apache-2.0 */
#include "output/internal.h"

#include "base/clock.h"
#include "base/json.h"

static void add_value(const struct internal_field *f, struct buf *out)
{
	if (f->text.n)
		json_add_string(out, f->text);
	else if (f->is_real)
		json_add_double(out, f->real);
	else
		buf_add_u64(out, f->number);
}

void internal_add_fields(const struct internal_field *fields, size_t n, struct buf *out)
{
	buf_addc(out, '{');
	for (size_t i = 0; i < n; i++) {
		buf_addz(out, i ? "," : "");
		json_add_string(out, str_of(fields[i].name));
		buf_addc(out, ':');
		add_value(&fields[i], out);
	}
	buf_addc(out, '}');
}

static void add_json(const struct alert_config *cfg, const struct internal_alert *a,
		     struct buf *out)
{
	buf_addz(out, "{\"hostname\":");
	json_add_string(out, str_of(cfg->hostname ? cfg->hostname : ""));
	buf_addz(out, ",\"output\":");
	json_add_string(out, a->message);
	buf_addz(out, ",\"output_fields\":");
	internal_add_fields(a->fields, a->n_fields, out);
	buf_addf(out, ",\"priority\":\"%s\",\"rule\":", priority_text(a->priority));
	json_add_string(out, str_of(a->rule));
	buf_addz(out, ",\"source\":\"" INTERNAL_SOURCE "\",\"time\":\"");
	clock_add_utc(out, a->time_ns);
	buf_addz(out, "Z\"}");
}

static void add_text(const struct alert_config *cfg, const struct internal_alert *a,
		     struct buf *out)
{
	alert_add_time(cfg, a->time_ns, out);
	buf_addf(out, ": %s ", priority_text(a->priority));
	buf_adds(out, a->message);
	buf_addz(out, " (");
	for (size_t i = 0; i < a->n_fields; i++) {
		buf_addf(out, "%s%s=", i ? " " : "", a->fields[i].name);
		add_value(&a->fields[i], out);
	}
	buf_addc(out, ')');
}

void internal_format(const struct alert_config *cfg, const struct internal_alert *a,
		     struct buf *out)
{
	(cfg->json ? add_json : add_text)(cfg, a, out);
	buf_addc(out, '\n');
}
