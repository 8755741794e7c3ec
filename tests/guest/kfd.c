// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process of KFD, as a compute runtime is one: a VM of its own with a buffer in VRAM,
 * and if asked for a compute queue that it feeds itself, without the kernel.
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
#include <time.h>
#include <unistd.h>

#include <linux/kfd_ioctl.h>

#include "agent.h"

#define KFD_ADDRESS	0x100000000ull
#define MAX_GPUS	2		/* and nodes of KFD, which are one each then */
#define PAGE		4096u
/* of KFD, what a process maps of the doorbells of a GPU */
#define DOORBELLS	8192u
#define WAIT_SECONDS	20

/* Where the GPU sees what the queue consists of; each is a buffer of its own */
#define RING_ADDRESS	0x200000000ull
#define WPTR_ADDRESS	0x210000000ull
#define RPTR_ADDRESS	0x220000000ull
#define MARK_ADDRESS	0x230000000ull
#define EOP_ADDRESS	0x240000000ull
#define CWSR_ADDRESS	0x250000000ull
#define RING_DWORDS	(PAGE / 4)

/* PM4, as in amdgpu.c */
#define PM4_WRITE_DATA	(3u << 30 | 3 << 16 | 0x37 << 8)
#define PM4_TO_MEMORY	(5u << 8 | 1u << 20)
#define WRITE_DWORDS	5u

static struct {
	int fd, drm;
	__u32 seed;
	__u64 size;
	__u32 *map;
} kfd = { .fd = -1, .drm = -1 };

/* The queue: written so far, in dwords, and how often it was asked to write */
static struct {
	bool made;
	__u32 *ring, *wptr, *rptr, *mark;
	volatile __u64 *doorbell;
	__u32 dwords, count;
} queue;

/* What init asks the process, and what that says */
struct question {
	bool open;		/* or check */
	bool queue;
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

static int create(__u32 gpu, __u64 address, __u64 size, __u32 flags, __u32 **map)
{
	struct kfd_ioctl_alloc_memory_of_gpu_args alloc = {
		.va_addr = address,
		.size = size,
		.gpu_id = gpu,
		.flags = flags | KFD_IOC_ALLOC_MEM_FLAGS_WRITABLE,
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
	if (result || !map)
		return result;
	*map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, kfd.drm,
		    alloc.mmap_offset);
	if (*map == MAP_FAILED) {
		*map = NULL;
		return -errno;
	}
	return 0;
}

/* A property of the node with this GPU, from KFD's topology; 0 if there is none */
static __u64 property(__u32 gpu, const char *wanted)
{
	for (int node = 0; node < 64; node++) {
		char path[64], line[128], name[64];
		unsigned long long value, found = 0;
		__u32 id = 0;
		FILE *file;

		snprintf(path, sizeof(path), "/sys/class/kfd/kfd/topology/nodes/%d/gpu_id",
			 node);
		file = fopen(path, "re");
		if (!file)
			return 0;
		if (fscanf(file, "%u", &id) != 1)
			id = 0;
		fclose(file);
		if (id != gpu)
			continue;
		snprintf(path, sizeof(path),
			 "/sys/class/kfd/kfd/topology/nodes/%d/properties", node);
		file = fopen(path, "re");
		while (file && fgets(line, sizeof(line), file))
			if (sscanf(line, "%63s %llu", name, &value) == 2 &&
			    !strcmp(name, wanted))
				found = value;
		if (file)
			fclose(file);
		return found;
	}
	return 0;
}

/* Bytes that KFD wants to save waves in; see kfd_queue_ctx_save_restore_size() */
static __u64 cwsr_bytes(__u32 gpu, __u64 cwsr)
{
	__u64 simds = property(gpu, "simd_per_cu");
	__u64 units = simds ? property(gpu, "simd_count") / simds : 0;
	__u64 debugger = (units * 40 * 32 + 63) & ~63ull;

	return (cwsr + debugger + PAGE - 1) & ~(__u64)(PAGE - 1);
}

static int create_queue(__u32 gpu)
{
	const __u32 memory = KFD_IOC_ALLOC_MEM_FLAGS_GTT | KFD_IOC_ALLOC_MEM_FLAGS_EXECUTABLE |
			     KFD_IOC_ALLOC_MEM_FLAGS_COHERENT;
	struct kfd_ioctl_create_queue_args args = {
		.ring_base_address = RING_ADDRESS,
		.ring_size = PAGE,
		.write_pointer_address = WPTR_ADDRESS,
		.read_pointer_address = RPTR_ADDRESS,
		.gpu_id = gpu,
		.queue_type = KFD_IOC_QUEUE_TYPE_COMPUTE,
		.queue_percentage = KFD_MAX_QUEUE_PERCENTAGE,
		.queue_priority = 7,
		.eop_buffer_address = EOP_ADDRESS,
		.eop_buffer_size = PAGE,
		.ctx_save_restore_address = CWSR_ADDRESS,
		.ctx_save_restore_size = property(gpu, "cwsr_size"),
		.ctl_stack_size = property(gpu, "ctl_stack_size"),
	};
	void *doorbells;
	int result;

	result = create(gpu, RING_ADDRESS, PAGE, memory, &queue.ring);
	if (!result)
		result = create(gpu, WPTR_ADDRESS, PAGE, memory, &queue.wptr);
	if (!result)
		result = create(gpu, RPTR_ADDRESS, PAGE, memory, &queue.rptr);
	if (!result)
		result = create(gpu, MARK_ADDRESS, PAGE, memory, &queue.mark);
	if (!result)
		result = create(gpu, EOP_ADDRESS, PAGE, KFD_IOC_ALLOC_MEM_FLAGS_VRAM, NULL);
	if (!result)
		result = create(gpu, CWSR_ADDRESS,
				cwsr_bytes(gpu, args.ctx_save_restore_size), memory, NULL);
	if (result)
		return result;
	memset(queue.ring, 0, PAGE);
	memset(queue.wptr, 0, PAGE);
	memset(queue.rptr, 0, PAGE);
	memset(queue.mark, 0, PAGE);
	result = kfd_ioctl(AMDKFD_IOC_CREATE_QUEUE, &args);
	if (result)
		return result;
	doorbells = mmap(NULL, DOORBELLS, PROT_READ | PROT_WRITE, MAP_SHARED, kfd.fd,
			 args.doorbell_offset & ~(__u64)(DOORBELLS - 1));
	if (doorbells == MAP_FAILED)
		return -errno;
	queue.doorbell = doorbells + (args.doorbell_offset & (DOORBELLS - 1));
	queue.made = true;
	return 0;
}

/* Has the GPU write the next number. ETIMEDOUT: the queue makes no progress */
static int use_queue(struct answer *answer)
{
	const __u32 packet[WRITE_DWORDS] = {
		PM4_WRITE_DATA, PM4_TO_MEMORY, (__u32)MARK_ADDRESS, MARK_ADDRESS >> 32,
		++queue.count,
	};
	struct timespec pause = { .tv_nsec = 2000000 };

	for (__u32 i = 0; i < WRITE_DWORDS; i++)
		queue.ring[queue.dwords++ % RING_DWORDS] = packet[i];
	*(volatile __u32 *)queue.wptr = queue.dwords;
	__sync_synchronize();
	*queue.doorbell = queue.dwords;
	for (int tries = 0; tries < WAIT_SECONDS * 500; tries++) {
		if (*(volatile __u32 *)queue.mark == queue.count)
			return 0;
		nanosleep(&pause, NULL);
	}
	answer->is = *queue.mark;
	answer->should_be = queue.count;
	return -ETIMEDOUT;
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
		result = create(gpu, KFD_ADDRESS, kfd.size, KFD_IOC_ALLOC_MEM_FLAGS_VRAM |
				KFD_IOC_ALLOC_MEM_FLAGS_PUBLIC, &kfd.map);
	if (!result && question->queue)
		result = create_queue(gpu);
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
	return queue.made ? use_queue(answer) : 0;
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
	if (answer.result == -ETIMEDOUT)
		reply(" the queue wrote %u, not %u", answer.is, answer.should_be);
	if (answer.result == -EILSEQ)
		reply(" at %#llx is %#x, not %#x", (unsigned long long)answer.at, answer.is,
		      answer.should_be);
	return answer.result;
}

/* kfd-open MEGABYTES SEED [GPU [queue]]: EAGAIN while KFD is locked */
static int do_open(int argc, char **argv)
{
	struct question question = { .open = true };
	struct client *client;
	int ends[2], result;

	if (parse_number(argv[0], &question.megabytes) ||
	    parse_number(argv[1], &question.seed) ||
	    find_client(argc > 2 ? argv[2] : NULL, &question.gpu))
		return -EINVAL;
	question.queue = argc > 3 && !strcmp(argv[3], "queue");
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

/* kfd-check [GPU]: the buffer, whether KFD takes clients, and the queue if there is one */
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
