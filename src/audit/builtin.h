/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plugins that are part of Saker: they speak the plugin interface, but no library is loaded.
 *
 *   k8saudit  Kubernetes audit events, posted over HTTP or read from files: source k8s_audit, ka.*
 *   json      fields of any event of a plugin whose bytes are JSON: json.*, jevt.*
 *
 * Names, fields, configuration and parameters are those of the plugins that the Falco ecosystem has
 * for this, so that their rules and configurations serve here.
 */
#pragma once

#include <saker/plugin.h>

/* NULL: none has this name. */
const plugin_api *builtin_find(const char *name);

/* ---- the two, each in a file of its name ---- */

extern const plugin_api audit_plugin, json_plugin;
