// SPDX-License-Identifier: GPL-2.0-only
/*
 * The trusted application of the PSP that is told which GPUs are linked. Each member of a
 * hive is a process of its own, and knows of the others by its options only: their node
 * ids, and that each of them is one hop away.
 */
#include <string.h>

#include "mi300x.h"
#include "kernel.h"
#include "ta_xgmi_if.h"

#define IMAGE			0x494d4758u	/* what firmware.py has put into its file */
#define HIVE_ID			0x4000000000000001ull
#define NODE_ID(n)		(0x5000000000000000ull + (n))

static const char *command_name(uint32_t id)
{
	static const char * const names[] = {
		[TA_COMMAND_XGMI__INITIALIZE] = "initialize",
		[TA_COMMAND_XGMI__GET_NODE_ID] = "get-node-id",
		[TA_COMMAND_XGMI__GET_HIVE_ID] = "get-hive-id",
		[TA_COMMAND_XGMI__GET_TOPOLOGY_INFO] = "get-topology",
		[TA_COMMAND_XGMI__SET_TOPOLOGY_INFO] = "set-topology",
		[TA_COMMAND_XGMI__GET_PEER_LINKS] = "get-links",
		[TA_COMMAND_XGMI__GET_EXTEND_PEER_LINKS] = "get-links-and-ports",
	};

	return id < ARRAY_SIZE(names) && names[id] ? names[id] : "other";
}

static enum ta_xgmi_status wrong(const char *why, const char *command,
				 enum ta_xgmi_status status)
{
	event("xgmi-wrong", "why=%s command=%s", why, command);
	return status;
}

/* Topologies */

static bool is_self(const struct gpu *gpu, uint64_t id)
{
	return id == NODE_ID(gpu->options.hive_node);
}

/* Of a list of nodes of any kind: each begins with its id */
static void copy_ids(uint64_t *ids, const void *nodes, size_t node_size)
{
	for (unsigned int i = 0; i < TA_XGMI__MAX_CONNECTED_NODES; i++)
		memcpy(&ids[i], (const char *)nodes + i * node_size, sizeof(ids[i]));
}

static enum ta_xgmi_status check_nodes(const struct gpu *gpu, const char *command,
				       unsigned int count, const uint64_t *ids)
{
	const struct options *o = &gpu->options;
	unsigned int seen = 0;

	if (!count || count > o->hive_nodes)
		return wrong("node-count", command, TA_XGMI_STATUS__INVALID_NODE_NUM);
	for (unsigned int i = 0; i < count; i++) {
		uint64_t node = ids[i] - NODE_ID(0);

		if (node >= o->hive_nodes)
			return wrong("unknown-node", command, TA_XGMI_STATUS__INVALID_NODE_ID);
		if (seen & 1u << node)
			return wrong("node-twice", command, TA_XGMI_STATUS__INVALID_NODE_ID);
		seen |= 1u << node;
	}
	if (!(seen & 1u << o->hive_node))
		return wrong("without-itself", command, TA_XGMI_STATUS__INVALID_TOPOLOGY);
	return TA_XGMI_STATUS__SUCCESS;
}

/* Questions are about those that it was told of last */
static enum ta_xgmi_status check_question(const struct gpu *gpu, const char *command,
					  unsigned int count, const uint64_t *ids)
{
	if (count != gpu->xgmi.nodes)
		return wrong("topology-not-set", command, TA_XGMI_STATUS__INVALID_TOPOLOGY);
	return check_nodes(gpu, command, count, ids);
}

static enum ta_xgmi_status set_topology(struct gpu *gpu, const char *command,
					const struct ta_xgmi_shared_memory *m)
{
	const struct ta_xgmi_cmd_set_topology_info_input *in =
		&m->xgmi_in_message.set_topology_info;
	uint64_t ids[TA_XGMI__MAX_CONNECTED_NODES];
	enum ta_xgmi_status status;

	copy_ids(ids, in->nodes, sizeof(in->nodes[0]));
	status = check_nodes(gpu, command, in->num_nodes, ids);
	if (!status)
		gpu->xgmi.nodes = in->num_nodes;
	return status;
}

static enum ta_xgmi_status get_topology(const struct gpu *gpu, const char *command,
					struct ta_xgmi_shared_memory *m)
{
	const struct ta_xgmi_cmd_get_topology_info_input *in =
		&m->xgmi_in_message.get_topology_info;
	struct ta_xgmi_cmd_get_topology_info_output *out =
		&m->xgmi_out_message.get_topology_info;
	uint64_t ids[TA_XGMI__MAX_CONNECTED_NODES];
	enum ta_xgmi_status status;

	copy_ids(ids, in->nodes, sizeof(in->nodes[0]));
	status = check_question(gpu, command, in->num_nodes, ids);
	for (unsigned int i = 0; !status && i < in->num_nodes; i++) {
		out->nodes[i] = in->nodes[i];
		out->nodes[i].num_hops = !is_self(gpu, ids[i]);
		out->nodes[i].is_sharing_enabled = 1;
	}
	out->num_nodes = status ? 0 : in->num_nodes;
	return status;
}

/* One link to each, of the port that has the number of the other */
static enum ta_xgmi_status get_links(const struct gpu *gpu, const char *command,
				     struct ta_xgmi_shared_memory *m)
{
	struct ta_xgmi_cmd_get_peer_link_info *info = &m->xgmi_out_message.get_link_info;
	uint64_t ids[TA_XGMI__MAX_CONNECTED_NODES];
	enum ta_xgmi_status status;

	copy_ids(ids, info->nodes, sizeof(info->nodes[0]));
	status = check_question(gpu, command, info->num_nodes, ids);
	for (unsigned int i = 0; !status && i < info->num_nodes; i++)
		info->nodes[i].num_links = !is_self(gpu, ids[i]);
	return status;
}

static enum ta_xgmi_status get_links_and_ports(const struct gpu *gpu, const char *command,
					       struct ta_xgmi_shared_memory *m)
{
	struct ta_xgmi_cmd_get_extend_peer_link_info *info =
		&m->xgmi_out_message.get_extend_link_info;
	uint64_t ids[TA_XGMI__MAX_CONNECTED_NODES];
	enum ta_xgmi_status status;

	copy_ids(ids, info->nodes, sizeof(info->nodes[0]));
	status = check_question(gpu, command, info->num_nodes, ids);
	for (unsigned int i = 0; !status && i < info->num_nodes; i++) {
		info->nodes[i].num_links = !is_self(gpu, ids[i]);
		info->nodes[i].port_num[0].src_xgmi_port_num = ids[i] - NODE_ID(0);
		info->nodes[i].port_num[0].dst_xgmi_port_num = gpu->options.hive_node;
	}
	return status;
}

/* Commands */

static enum ta_xgmi_status run(struct gpu *gpu, struct ta_xgmi_shared_memory *m,
			       uint32_t id)
{
	const char *command = command_name(id);

	if (m->cmd_id != id)
		return wrong("another-command", command, TA_XGMI_STATUS__INVALID_PARAMETER);
	if (id != TA_COMMAND_XGMI__INITIALIZE && !gpu->xgmi.initialized)
		return wrong("not-initialized", command, TA_XGMI_STATUS__NOT_INITIALIZED);
	switch (id) {
	case TA_COMMAND_XGMI__INITIALIZE:
		gpu->xgmi.initialized = true;
		m->caps_flag = EXTEND_PEER_LINK_INFO_CMD_FLAG;
		return TA_XGMI_STATUS__SUCCESS;
	case TA_COMMAND_XGMI__GET_NODE_ID:
		m->xgmi_out_message.get_node_id.node_id = NODE_ID(gpu->options.hive_node);
		return TA_XGMI_STATUS__SUCCESS;
	case TA_COMMAND_XGMI__GET_HIVE_ID:
		m->xgmi_out_message.get_hive_id.hive_id = HIVE_ID;
		return TA_XGMI_STATUS__SUCCESS;
	case TA_COMMAND_XGMI__SET_TOPOLOGY_INFO:
		return set_topology(gpu, command, m);
	case TA_COMMAND_XGMI__GET_TOPOLOGY_INFO:
		return get_topology(gpu, command, m);
	case TA_COMMAND_XGMI__GET_PEER_LINKS:
		return get_links(gpu, command, m);
	case TA_COMMAND_XGMI__GET_EXTEND_PEER_LINKS:
		return get_links_and_ports(gpu, command, m);
	}
	return wrong("unknown-command", command, TA_XGMI_STATUS__INVALID_PARAMETER);
}

bool xgmi_load(struct gpu *gpu, const struct requester *by, uint64_t image, uint64_t shared)
{
	if (gmc_read(gpu, by, image) != IMAGE) {
		wrong("not-its-firmware", "load", 0);
		return false;
	}
	if (gpu->xgmi.loaded)
		wrong("loaded-twice", "load", 0);
	gpu->xgmi = (struct xgmi){ .loaded = true, .shared = shared };
	return true;
}

bool xgmi_unload(struct gpu *gpu)
{
	if (!gpu->xgmi.loaded)
		wrong("not-loaded", "unload", 0);
	gpu->xgmi = (struct xgmi){ };
	return true;
}

bool xgmi_invoke(struct gpu *gpu, const struct requester *by, uint32_t command)
{
	struct ta_xgmi_shared_memory m;

	if (!gpu->xgmi.loaded) {
		wrong("not-loaded", command_name(command), 0);
		return false;
	}
	gmc_copy_in(gpu, by, &m, gpu->xgmi.shared, sizeof(m));
	m.xgmi_status = run(gpu, &m, command);
	m.resp_id = RSP_ID(command);
	gmc_copy_out(gpu, by, gpu->xgmi.shared, &m, sizeof(m));
	event("xgmi-command", "command=%s nodes=%u status=0x%x", command_name(command),
	      gpu->xgmi.nodes, m.xgmi_status);
	return true;
}

/* A process may use the links as soon as it has a queue */
void xgmi_check_ready(struct gpu *gpu)
{
	if (gpu->options.hive_nodes && !gpu->xgmi.nodes)
		wrong("topology-not-set", "none", 0);
}
