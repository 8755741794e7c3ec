// SPDX-License-Identifier: GPL-2.0-only
/* A client of amdgpu: loads the module, owns buffers, submits to the engines. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <drm/drm.h>
#include <drm/amdgpu_drm.h>

#include "agent.h"
#include "amdgpu.h"

#define MAX_GPU_BUFFERS		64
#define FIRST_RENDER_NODE	128
#define LAST_RENDER_NODE	191

/* Where the GPU sees what: the command buffer, then a slot for each buffer */
#define IB_ADDRESS		0x200000ull
#define BUFFER_ADDRESS(n)	(0x40000000ull * ((n) + 1))
#define IB_BYTES		4096
#define WAIT_SECONDS		20

/* PM4 and SDMA packets; the kernel's headers of them are not for user space */
#define PM4_NOP			0xffff1000u
#define PM4_WRITE_DATA(words)	(3u << 30 | ((words) + 2) << 16 | 0x37 << 8)
#define PM4_TO_MEMORY		(5u << 8 | 1u << 20)
#define SDMA_NOP		0u
#define SDMA_COPY		1u
#define SDMA_WRITE		2u

static int node = -1;
static __u32 context, ib_handle;
static __u32 *ib;
static struct gpu_buffer gpu_buffers[MAX_GPU_BUFFERS];
static __u32 gpu_buffer_count;

static int gpu_ioctl(unsigned long request, void *argument)
{
	int result;

	if (node < 0)
		return -ENODEV;
	do
		result = ioctl(node, request, argument);
	while (result < 0 && (errno == EINTR || errno == EAGAIN));
	return result < 0 ? -errno : 0;
}

/* The device */

int amdgpu_node(void)
{
	return node;
}

static int is_amdgpu(int fd)
{
	char name[16] = "";
	struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };

	return !ioctl(fd, DRM_IOCTL_VERSION, &version) && !strcmp(name, "amdgpu");
}

int amdgpu_open_node(__u32 which)
{
	for (int minor = FIRST_RENDER_NODE; minor <= LAST_RENDER_NODE; minor++) {
		char path[32];
		int fd;

		snprintf(path, sizeof(path), "/dev/dri/renderD%d", minor);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (is_amdgpu(fd) && !which--)
			return fd;
		close(fd);
	}
	return -ENODEV;
}

static int create(__u64 size, __u64 domain, __u64 flags, __u32 *handle)
{
	union drm_amdgpu_gem_create create = {
		.in = {
			.bo_size = size,
			.alignment = 4096,
			.domains = domain,
			.domain_flags = flags,
		},
	};
	int result = gpu_ioctl(DRM_IOCTL_AMDGPU_GEM_CREATE, &create);

	*handle = create.out.handle;
	return result;
}

static int map(__u32 handle, __u64 size, __u32 **to)
{
	union drm_amdgpu_gem_mmap request = { .in = { .handle = handle } };
	int result = gpu_ioctl(DRM_IOCTL_AMDGPU_GEM_MMAP, &request);
	void *address;

	if (result)
		return result;
	address = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, node,
		       request.out.addr_ptr);
	if (address == MAP_FAILED)
		return -errno;
	*to = address;
	return 0;
}

static int gpu_map(__u32 handle, __u64 address, __u64 size)
{
	struct drm_amdgpu_gem_va va = {
		.handle = handle,
		.operation = AMDGPU_VA_OP_MAP,
		.flags = AMDGPU_VM_PAGE_READABLE | AMDGPU_VM_PAGE_WRITEABLE |
			 AMDGPU_VM_PAGE_EXECUTABLE,
		.va_address = address,
		.map_size = size,
	};

	return gpu_ioctl(DRM_IOCTL_AMDGPU_GEM_VA, &va);
}

static int make_ib(void)
{
	int result = create(IB_BYTES, AMDGPU_GEM_DOMAIN_GTT, 0, &ib_handle);

	if (!result)
		result = map(ib_handle, IB_BYTES, &ib);
	if (!result)
		result = gpu_map(ib_handle, IB_ADDRESS, IB_BYTES);
	return result;
}

static int make_context(void)
{
	union drm_amdgpu_ctx request = { .in = { .op = AMDGPU_CTX_OP_ALLOC_CTX } };
	int result = gpu_ioctl(DRM_IOCTL_AMDGPU_CTX, &request);

	context = request.out.alloc.ctx_id;
	return result;
}

/* gpu-open [WHICH] */
static int do_open(int argc, char **argv)
{
	__u32 which = 0;
	int result;

	if (node >= 0)
		return -EBUSY;
	if (argc > 0 && parse_number(argv[0], &which))
		return -EINVAL;
	node = amdgpu_open_node(which);
	if (node < 0) {
		result = node;
		node = -1;
		return result;
	}
	result = make_context();
	return result ? result : make_ib();
}

static void forget_buffer(struct gpu_buffer *buffer)
{
	if (buffer->map)
		munmap(buffer->map, buffer->size);
	memset(buffer, 0, sizeof(*buffer));
}

static int do_close(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	if (node < 0)
		return -ENODEV;
	for (__u32 i = 0; i < gpu_buffer_count; i++)
		forget_buffer(&gpu_buffers[i]);
	gpu_buffer_count = 0;
	if (ib)
		munmap(ib, IB_BYTES);
	ib = NULL;
	close(node);	/* the kernel frees the rest */
	node = -1;
	return 0;
}

/* Buffers */

static __u32 pattern(const struct gpu_buffer *buffer, __u64 index)
{
	if (buffer->width)
		return buffer_pattern(buffer->seed, index % buffer->width, index / buffer->width);
	return (__u32)index * 2654435761u ^ buffer->seed * 0x9e3779b1u;
}

struct gpu_buffer *amdgpu_find(const char *word)
{
	__u32 index;

	if (parse_number(word, &index) || index >= gpu_buffer_count)
		return NULL;
	return &gpu_buffers[index];
}

static __u64 gpu_address(const struct gpu_buffer *buffer)
{
	return BUFFER_ADDRESS(buffer - gpu_buffers);
}

void amdgpu_fill(const struct gpu_buffer *buffer)
{
	for (__u64 i = 0; i < buffer->size / 4; i++)
		buffer->map[i] = pattern(buffer, i);
}

/* What has a handle and is mapped for the CPU gets an address on the GPU and a number. */
int amdgpu_add(const struct gpu_buffer *buffer)
{
	int result;

	if (gpu_buffer_count == MAX_GPU_BUFFERS)
		return -ENOSPC;
	gpu_buffers[gpu_buffer_count] = *buffer;
	result = gpu_map(buffer->handle, BUFFER_ADDRESS(gpu_buffer_count), buffer->size);
	if (!result)
		reply(" %u", gpu_buffer_count++);
	return result;
}

int amdgpu_make(struct gpu_buffer *buffer, const char *where)
{
	bool vram = !strcmp(where, "vram");
	int result;

	result = create(buffer->size, vram ? AMDGPU_GEM_DOMAIN_VRAM : AMDGPU_GEM_DOMAIN_GTT,
			vram ? AMDGPU_GEM_CREATE_CPU_ACCESS_REQUIRED : 0, &buffer->handle);
	if (!result)
		result = map(buffer->handle, buffer->size, &buffer->map);
	if (result)
		return result;
	amdgpu_fill(buffer);
	return amdgpu_add(buffer);
}

/* gpu-create vram|gtt MEGABYTES SEED */
static int do_create(int argc, char **argv)
{
	struct gpu_buffer buffer = { };
	__u32 megabytes;

	(void)argc;
	if (parse_number(argv[1], &megabytes) || parse_number(argv[2], &buffer.seed))
		return -EINVAL;
	buffer.size = (__u64)megabytes << 20;
	return amdgpu_make(&buffer, argv[0]);
}

/* gpu-hold MEGABYTES: takes so much of VRAM, until gpu-close or the next gpu-hold */
static int do_hold(int argc, char **argv)
{
	static struct drm_gem_close held;
	__u32 megabytes;

	(void)argc;
	if (parse_number(argv[0], &megabytes))
		return -EINVAL;
	if (held.handle)
		gpu_ioctl(DRM_IOCTL_GEM_CLOSE, &held);
	held.handle = 0;
	return megabytes ? create((__u64)megabytes << 20, AMDGPU_GEM_DOMAIN_VRAM, 0,
				  &held.handle) : 0;
}

/* gpu-check INDEX: error EILSEQ with how many dwords are wrong, and the first */
static int do_check(int argc, char **argv)
{
	const struct gpu_buffer *buffer = amdgpu_find(argv[0]);
	__u64 wrong = 0, first = 0;

	(void)argc;
	if (!buffer)
		return -EINVAL;
	for (__u64 i = 0; i < buffer->size / 4; i++) {
		if (buffer->map[i] == pattern(buffer, i))
			continue;
		if (!wrong++)
			first = i;
	}
	if (!wrong)
		return 0;
	reply(" %llu dwords are wrong, the first at %#llx is %#x, not %#x", wrong, first * 4,
	      buffer->map[first], pattern(buffer, first));
	return -EILSEQ;
}

/* Submissions */

static int submit(__u32 ip, __u32 dwords, __u64 *fence)
{
	struct drm_amdgpu_cs_chunk_ib chunk_ib = {
		.va_start = IB_ADDRESS,
		.ib_bytes = dwords * 4,
		.ip_type = ip,
	};
	struct drm_amdgpu_bo_list_entry entries[MAX_GPU_BUFFERS + 1] = { { ib_handle, 0 } };
	struct drm_amdgpu_bo_list_in list = {
		.operation = ~0u,
		.list_handle = ~0u,
		.bo_number = gpu_buffer_count + 1,
		.bo_info_size = sizeof(entries[0]),
		.bo_info_ptr = (uintptr_t)entries,
	};
	struct drm_amdgpu_cs_chunk chunks[] = {
		{ AMDGPU_CHUNK_ID_IB, sizeof(chunk_ib) / 4, (uintptr_t)&chunk_ib },
		{ AMDGPU_CHUNK_ID_BO_HANDLES, sizeof(list) / 4, (uintptr_t)&list },
	};
	__u64 pointers[] = { (uintptr_t)&chunks[0], (uintptr_t)&chunks[1] };
	union drm_amdgpu_cs cs = {
		.in = { .ctx_id = context, .num_chunks = 2, .chunks = (uintptr_t)pointers },
	};
	int result;

	for (__u32 i = 0; i < gpu_buffer_count; i++)
		entries[i + 1].bo_handle = gpu_buffers[i].handle;
	result = gpu_ioctl(DRM_IOCTL_AMDGPU_CS, &cs);
	*fence = cs.out.handle;
	return result;
}

static int wait_for_fence(__u32 ip, __u64 fence)
{
	struct timespec pause = { .tv_nsec = 2000000 };

	for (int tries = 0; tries < WAIT_SECONDS * 500; tries++) {
		union drm_amdgpu_wait_cs wait = {
			.in = { .handle = fence, .ip_type = ip, .ctx_id = context },
		};
		int result = gpu_ioctl(DRM_IOCTL_AMDGPU_WAIT_CS, &wait);

		if (result)
			return result;
		if (!wait.out.status)
			return 0;
		nanosleep(&pause, NULL);
	}
	return -ETIMEDOUT;
}

static int run_ib(__u32 ip, __u32 dwords)
{
	__u64 fence;
	int result;

	while (dwords & 7)
		ib[dwords++] = ip == AMDGPU_HW_IP_DMA ? SDMA_NOP : PM4_NOP;
	result = submit(ip, dwords, &fence);
	return result ? result : wait_for_fence(ip, fence);
}

static __u32 emit_write(__u32 ip, __u64 to, __u32 value)
{
	__u32 n = 0;

	if (ip == AMDGPU_HW_IP_DMA) {
		ib[n++] = SDMA_WRITE;
		ib[n++] = to;
		ib[n++] = to >> 32;
		ib[n++] = 0;		/* one dword */
	} else {
		ib[n++] = PM4_WRITE_DATA(1);
		ib[n++] = PM4_TO_MEMORY;
		ib[n++] = to;
		ib[n++] = to >> 32;
	}
	ib[n++] = value;
	return n;
}

/*
 * gpu-write compute|sdma INDEX OFFSET: breaks the pattern there, and has the GPU
 * mend it.
 */
static int do_write(int argc, char **argv)
{
	__u32 ip = strcmp(argv[0], "sdma") ? AMDGPU_HW_IP_COMPUTE : AMDGPU_HW_IP_DMA;
	struct gpu_buffer *buffer = amdgpu_find(argv[1]);
	__u32 offset, right;
	int result;

	(void)argc;
	if (!buffer || parse_number(argv[2], &offset) || offset & 3 || offset >= buffer->size)
		return -EINVAL;
	right = pattern(buffer, offset / 4);
	buffer->map[offset / 4] = ~right;
	result = run_ib(ip, emit_write(ip, gpu_address(buffer) + offset, right));
	if (result)
		return result;
	return *(volatile __u32 *)&buffer->map[offset / 4] == right ? 0 : -EILSEQ;
}

/* gpu-copy FROM TO: the second buffer has the content of the first then */
static int do_copy(int argc, char **argv)
{
	const struct gpu_buffer *from = amdgpu_find(argv[0]);
	struct gpu_buffer *to = amdgpu_find(argv[1]);
	const __u64 most = 4 << 20;
	__u32 n = 0;

	(void)argc;
	if (!from || !to || from == to || from->size > to->size ||
	    from->size / most * 7 + 7 > IB_BYTES / 4 - 8)
		return -EINVAL;
	for (__u64 at = 0; at < from->size; at += most) {
		__u64 size = from->size - at < most ? from->size - at : most;

		ib[n++] = SDMA_COPY;
		ib[n++] = size - 1;
		ib[n++] = 0;
		ib[n++] = gpu_address(from) + at;
		ib[n++] = (gpu_address(from) + at) >> 32;
		ib[n++] = gpu_address(to) + at;
		ib[n++] = (gpu_address(to) + at) >> 32;
	}
	to->seed = from->seed;
	return run_ib(AMDGPU_HW_IP_DMA, n);
}

/* gpu-time COUNT: the quickest of so many submissions, without what the GPU does then */
static int do_time(int argc, char **argv)
{
	__u64 best = ~0ull, fence, start, took;
	__u32 count;
	int result = 0;

	(void)argc;
	if (parse_number(argv[0], &count))
		return -EINVAL;
	for (__u32 i = 0; i < 8; i++)
		ib[i] = PM4_NOP;
	while (!result && count--) {
		start = clock_now();
		result = submit(AMDGPU_HW_IP_COMPUTE, 8, &fence);
		took = clock_now() - start;
		if (!result)
			result = wait_for_fence(AMDGPU_HW_IP_COMPUTE, fence);
		if (took < best)
			best = took;
	}
	reply(" %llu", (unsigned long long)best);
	return result;
}

/* gpu-stray sdma|compute: an access that no page table knows */
static int do_stray(int argc, char **argv)
{
	__u32 ip = strcmp(argv[0], "sdma") ? AMDGPU_HW_IP_COMPUTE : AMDGPU_HW_IP_DMA;

	(void)argc;
	return run_ib(ip, emit_write(ip, BUFFER_ADDRESS(MAX_GPU_BUFFERS), 0));
}

const struct command amdgpu_commands[] = {
	{ "gpu-open", 0, false, do_open },
	{ "gpu-close", 0, false, do_close },
	{ "gpu-create", 3, false, do_create },
	{ "gpu-hold", 1, false, do_hold },
	{ "gpu-check", 1, false, do_check },
	{ "gpu-write", 3, false, do_write },
	{ "gpu-copy", 2, false, do_copy },
	{ "gpu-time", 1, false, do_time },
	{ "gpu-stray", 1, false, do_stray },
	{ }
};
