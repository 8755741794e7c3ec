// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process of KFD, as a compute runtime is one: a VM of its own with a buffer in VRAM.
 * It is a process of its own indeed, because KFD keeps what belongs to a process until
 * that ends, and sends it a signal when the GPU is taken away; init gets none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/kfd_ioctl.h>

#include "agent.h"

#define KFD_ADDRESS	0x100000000ull
#define MAX_GPUS	2		/* and nodes of KFD, which are one each then */

static struct {
	int fd, drm;
	__u32 seed;
	__u64 size;
	__u32 *map;
} kfd = { .fd = -1, .drm = -1 };

/* What init asks the process, and what that says */
struct question {
	bool open;		/* or check */
	__u32 megabytes, seed, gpu;
};

struct answer {
	int result;
	__u64 at;		/* a wrong dword, if the result is EILSEQ */
	__u32 is, should_be;
};

/* One process for each GPU, if any */
static struct client {
	bool open;
	int channel;
	pid_t process;
} clients[MAX_GPUS];

static int kfd_ioctl(unsigned long request, void *argument)
{
	int result;

	do
		result = ioctl(kfd.fd, request, argument);
	while (result < 0 && errno == EINTR);
	return result < 0 ? -errno : 0;
}

static __u32 pattern(__u64 index)
{
	return (__u32)index * 2246822519u ^ kfd.seed * 0x9e3779b1u;
}

/*
 * The GPU of KFD with this number, or partition of one, which is that of the render
 * node with this number
 */
static int acquire_vm(__u32 which, __u32 *gpu)
{
	struct kfd_process_device_apertures nodes[MAX_GPUS] = { };
	struct kfd_ioctl_get_process_apertures_new_args get = {
		.kfd_process_device_apertures_ptr = (uintptr_t)nodes,
		.num_of_nodes = MAX_GPUS,
	};
	struct kfd_ioctl_acquire_vm_args acquire = { .drm_fd = kfd.drm };
	int result = kfd_ioctl(AMDKFD_IOC_GET_PROCESS_APERTURES_NEW, &get);

	if (result)
		return result;
	if (which >= get.num_of_nodes)
		return -ENODEV;
	*gpu = nodes[which].gpu_id;
	acquire.gpu_id = *gpu;
	return kfd_ioctl(AMDKFD_IOC_ACQUIRE_VM, &acquire);
}

static int create(__u32 gpu)
{
	struct kfd_ioctl_alloc_memory_of_gpu_args alloc = {
		.va_addr = KFD_ADDRESS,
		.size = kfd.size,
		.gpu_id = gpu,
		.flags = KFD_IOC_ALLOC_MEM_FLAGS_VRAM | KFD_IOC_ALLOC_MEM_FLAGS_WRITABLE |
			 KFD_IOC_ALLOC_MEM_FLAGS_PUBLIC,
	};
	struct kfd_ioctl_map_memory_to_gpu_args to_gpu = {
		.device_ids_array_ptr = (uintptr_t)&gpu,
		.n_devices = 1,
	};
	int result = kfd_ioctl(AMDKFD_IOC_ALLOC_MEMORY_OF_GPU, &alloc);

	if (result)
		return result;
	to_gpu.handle = alloc.handle;
	result = kfd_ioctl(AMDKFD_IOC_MAP_MEMORY_TO_GPU, &to_gpu);
	if (result)
		return result;
	kfd.map = mmap(NULL, kfd.size, PROT_READ | PROT_WRITE, MAP_SHARED, kfd.drm,
		       alloc.mmap_offset);
	if (kfd.map == MAP_FAILED) {
		kfd.map = NULL;
		return -errno;
	}
	return 0;
}

static int client_open(const struct question *question)
{
	__u32 gpu = 0;
	int result;

	kfd.seed = question->seed;
	kfd.size = (__u64)question->megabytes << 20;
	kfd.drm = amdgpu_open_node(question->gpu);
	if (kfd.drm < 0)
		return kfd.drm;
	kfd.fd = open("/dev/kfd", O_RDWR | O_CLOEXEC);
	result = kfd.fd < 0 ? -errno : acquire_vm(question->gpu, &gpu);
	if (!result)
		result = create(gpu);
	for (__u64 i = 0; !result && i < kfd.size / 4; i++)
		kfd.map[i] = pattern(i);
	return result;
}

/* EAGAIN if KFD is locked, as it is from suspend to resume */
static int open_another(void)
{
	int fd = open("/dev/kfd", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int client_check(struct answer *answer)
{
	struct kfd_ioctl_get_process_apertures_new_args count = { };
	int result = kfd_ioctl(AMDKFD_IOC_GET_PROCESS_APERTURES_NEW, &count);

	if (!result)
		result = open_another();
	if (result)
		return result;
	for (__u64 i = 0; i < kfd.size / 4; i++) {
		if (kfd.map[i] == pattern(i))
			continue;
		answer->at = i * 4;
		answer->is = kfd.map[i];
		answer->should_be = pattern(i);
		return -EILSEQ;
	}
	return 0;
}

/* The process: until nobody asks any more */
static void serve(int init)
{
	struct question question;

	while (read(init, &question, sizeof(question)) == sizeof(question)) {
		struct answer answer = { };

		answer.result = question.open ? client_open(&question) : client_check(&answer);
		if (write(init, &answer, sizeof(answer)) != sizeof(answer))
			break;
	}
	_exit(0);
}

/* The client of GPU @word, or of the first */
static int find_client(const char *word, __u32 *gpu)
{
	*gpu = 0;
	return (word && parse_number(word, gpu)) || *gpu >= MAX_GPUS ? -EINVAL : 0;
}

static int end_client(struct client *client)
{
	if (!client->open)
		return 0;
	close(client->channel);
	client->open = false;
	return waitpid(client->process, NULL, 0) < 0 ? -errno : 0;
}

/* ESRCH if the process was killed */
static int ask(const struct client *client, const struct question *question)
{
	struct answer answer;

	if (!client->open)
		return -EBADF;
	if (send(client->channel, question, sizeof(*question), MSG_NOSIGNAL) < 0 ||
	    read(client->channel, &answer, sizeof(answer)) != sizeof(answer))
		return -ESRCH;
	if (answer.result == -EILSEQ)
		reply(" at %#llx is %#x, not %#x", (unsigned long long)answer.at, answer.is,
		      answer.should_be);
	return answer.result;
}

/* kfd-open MEGABYTES SEED [GPU]: EAGAIN while KFD is locked */
static int do_open(int argc, char **argv)
{
	struct question question = { .open = true };
	struct client *client;
	int ends[2], result;

	if (parse_number(argv[0], &question.megabytes) ||
	    parse_number(argv[1], &question.seed) ||
	    find_client(argc > 2 ? argv[2] : NULL, &question.gpu))
		return -EINVAL;
	client = &clients[question.gpu];
	if (client->open)
		return -EBUSY;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	client->process = fork();
	if (!client->process) {
		/* the other one ends when init closes its channel */
		for (__u32 i = 0; i < MAX_GPUS; i++)
			if (clients[i].open)
				close(clients[i].channel);
		close(ends[0]);
		serve(ends[1]);
	}
	if (client->process < 0) {
		result = -errno;
		close(ends[0]);
		close(ends[1]);
		return result;
	}
	close(ends[1]);
	client->channel = ends[0];
	client->open = true;
	result = ask(client, &question);
	if (result)
		end_client(client);
	return result;
}

/* kfd-check [GPU]: the buffer, and whether KFD takes clients */
static int do_check(int argc, char **argv)
{
	const struct question question = { };
	__u32 gpu;

	return find_client(argc > 0 ? argv[0] : NULL, &gpu) ?: ask(&clients[gpu], &question);
}

/* kfd-close [GPU] */
static int do_close(int argc, char **argv)
{
	__u32 gpu;

	return find_client(argc > 0 ? argv[0] : NULL, &gpu) ?: end_client(&clients[gpu]);
}

const struct command kfd_commands[] = {
	{ "kfd-open", 2, false, do_open },
	{ "kfd-check", 0, false, do_check },
	{ "kfd-close", 0, false, do_close },
	{ }
};
