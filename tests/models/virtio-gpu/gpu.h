/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio-gpu of our own: the host's side of it, as a process beside QEMU, whose
 * generic vhost-user device does the PCI part.
 *
 * Done: 2D resources with a copy of their own, as QEMU's; guest blobs; UUIDs;
 * scanouts of both kinds, several outputs with an EDID each; cursors; with --3d
 * contexts, capability sets and 3D resources, which have a copy like those of 2D and
 * are not rendered into. What a reset takes, and the faults, are options.
 *
 * Not done, so a pass says nothing about it: rendering (SUBMIT_3D is accepted and
 * thrown away); host blobs and memory that is visible to the guest; formats other
 * than B8G8R8A8 and B8G8R8X8; events of the configuration space, so outputs change
 * with the process only; rings of contexts; latency, but for what is asked for.
 *
 * It is stricter than QEMU: nothing is shown before it is flushed, and a copy that
 * was never transferred is magenta.
 */
#ifndef GPU_H
#define GPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <linux/virtio_gpu.h>

#include "vhost_user.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define CURSOR_SIDE	64

struct gpu_options {
	unsigned int num_outputs;
	struct {
		unsigned int width, height;
	} output[VIRTIO_GPU_MAX_SCANOUTS];
	bool blob;			/* guest blobs */
	bool three_d;			/* contexts */
	bool keep;			/* a reset does not take resources */
	unsigned int burst_ms;		/* answers come together, that often */
	FILE *log;
};

extern struct gpu_options gpu_options;

/* gpu.c: commands */
void gpu_reset(void);
uint32_t gpu_obey(struct vu_request *request, void *answer, size_t *size);
void gpu_refuse(struct vu_request *request);
bool gpu_save_screen(unsigned int output, const char *path);
bool gpu_save_cursor(unsigned int output, const char *path);
const char *gpu_command_name(uint32_t type);

/* edid.c */
void gpu_edid(unsigned int output, uint8_t *edid);

/* main.c */
void gpu_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
