// SPDX-License-Identifier: GPL-2.0-only
/* The server side of vfio-user; see vfio_user.h for what it can do. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "vfio_user.h"

enum command {
	VERSION = 1,
	DMA_MAP,
	DMA_UNMAP,
	DEVICE_GET_INFO,
	DEVICE_GET_REGION_INFO,
	DEVICE_GET_REGION_IO_FDS,
	DEVICE_GET_IRQ_INFO,
	DEVICE_SET_IRQS,
	REGION_READ,
	REGION_WRITE,
	DMA_READ,
	DMA_WRITE,
	DEVICE_RESET,
	DIRTY_PAGES,
	REGION_WRITE_MULTI = 15,
};

#define FLAG_REPLY	0x1
#define FLAG_NO_REPLY	0x10
#define FLAG_ERROR	0x20

#define MAX_FDS		16
#define MAX_TRANSFER	(1 << 20)
#define MAX_MESSAGE	(MAX_TRANSFER + 4096)

struct header {
	uint16_t id;
	uint16_t command;
	uint32_t size;
	uint32_t flags;
	uint32_t error;
};

struct dma_map {
	uint32_t argsz;
	uint32_t flags;
	uint64_t offset;
	uint64_t address;
	uint64_t size;
};

struct dma_unmap {
	uint32_t argsz;
	uint32_t flags;
	uint64_t address;
	uint64_t size;
};

struct region_access {
	uint64_t offset;
	uint32_t region;
	uint32_t count;
	uint8_t data[];
};

/* A message, with what came along with it */
struct message {
	struct header header;
	uint8_t data[MAX_MESSAGE];
	uint32_t size;			/* of data */
	int fds[MAX_FDS];
	unsigned int fd_count;
};

static volatile sig_atomic_t stopped, signalled;

static void on_signal(int number)
{
	if (number == SIGUSR1)
		signalled = 1;
	else
		stopped = 1;
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Receiving */

static int receive_rest(int fd, void *to, size_t size)
{
	uint8_t *at = to;

	while (size) {
		ssize_t got = read(fd, at, size);

		if (got < 0 && errno == EINTR && !stopped)
			continue;
		if (got <= 0)
			return -1;
		at += got;
		size -= got;
	}
	return 0;
}

static void take_fds(struct message *message, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		message->fd_count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(message->fds, CMSG_DATA(c), message->fd_count * sizeof(int));
	}
}

/* 1: a message; 0: the client hung up; -1: nonsense */
static int receive(struct vfu_device *dev, struct message *message)
{
	union {
		struct cmsghdr align;
		char buffer[CMSG_SPACE(sizeof(int) * MAX_FDS)];
	} control;
	struct header *header = &message->header;
	struct iovec io = { header, sizeof(*header) };
	struct msghdr msg = {
		.msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = control.buffer,
		.msg_controllen = sizeof(control.buffer),
	};
	ssize_t got;

	message->fd_count = 0;
	do
		got = recvmsg(dev->socket, &msg, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR && !stopped);
	if (got <= 0)
		return 0;
	take_fds(message, &msg);
	if (receive_rest(dev->socket, (char *)header + got, sizeof(*header) - got))
		return 0;
	if (header->size < sizeof(*header) ||
	    header->size - sizeof(*header) > sizeof(message->data))
		return -1;
	message->size = header->size - sizeof(*header);
	return receive_rest(dev->socket, message->data, message->size) ? 0 : 1;
}

static void close_fds(struct message *message)
{
	/* a handler that keeps one sets it to -1 */
	for (unsigned int i = 0; i < message->fd_count; i++)
		if (message->fds[i] >= 0)
			close(message->fds[i]);
}

/* Sending */

static void send_reply(struct vfu_device *dev, const struct message *to,
		       int error, const void *data, size_t size, int fd)
{
	struct header header = {
		.id = to->header.id,
		.command = to->header.command,
		.size = sizeof(header) + (error ? 0 : size),
		.flags = FLAG_REPLY | (error ? FLAG_ERROR : 0),
		.error = error,
	};
	union {
		struct cmsghdr align;
		char buffer[CMSG_SPACE(sizeof(int))];
	} control = { };
	struct iovec io[2] = {
		{ &header, sizeof(header) },
		{ (void *)data, header.size - sizeof(header) },
	};
	struct msghdr msg = { .msg_iov = io, .msg_iovlen = 2 };

	if (to->header.flags & FLAG_NO_REPLY)
		return;
	if (fd >= 0) {
		msg.msg_control = control.buffer;
		msg.msg_controllen = sizeof(control.buffer);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	}
	/* a client that hung up is noticed at the next receive() */
	while (sendmsg(dev->socket, &msg, MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

static void reply(struct vfu_device *dev, const struct message *to, const void *data,
		  size_t size)
{
	send_reply(dev, to, 0, data, size, -1);
}

static void refuse(struct vfu_device *dev, const struct message *to, int error)
{
	send_reply(dev, to, error, NULL, 0, -1);
}

/* The client's memory */

static int map_memory(struct vfu_device *dev, struct message *message)
{
	struct dma_map *map = (void *)message->data;
	struct vfu_dma *dma;
	void *host = NULL;

	if (message->size < sizeof(*map))
		return -EINVAL;
	if (message->fd_count) {
		host = mmap(NULL, map->size, PROT_READ | PROT_WRITE, MAP_SHARED,
			    message->fds[0], map->offset);
		if (host == MAP_FAILED)
			return -errno;
	}
	dma = realloc(dev->dma, (dev->dma_count + 1) * sizeof(*dma));
	if (!dma)
		return -ENOMEM;
	dev->dma = dma;
	dma[dev->dma_count++] = (struct vfu_dma){ map->address, map->size, host };
	return 0;
}

static int unmap_memory(struct vfu_device *dev, struct message *message)
{
	struct dma_unmap *unmap = (void *)message->data;
	unsigned int i = 0;

	if (message->size < sizeof(*unmap))
		return -EINVAL;
	while (i < dev->dma_count) {
		struct vfu_dma *dma = &dev->dma[i];

		if (dma->address < unmap->address ||
		    dma->address + dma->size > unmap->address + unmap->size) {
			i++;
			continue;
		}
		if (dma->host)
			munmap(dma->host, dma->size);
		*dma = dev->dma[--dev->dma_count];
	}
	dev->dma_last = 0;
	return 0;
}

static void *memory_in(const struct vfu_dma *dma, uint64_t address, size_t size)
{
	if (!dma->host || address < dma->address || size > dma->size ||
	    address - dma->address > dma->size - size)
		return NULL;
	return dma->host + (address - dma->address);
}

void *vfu_memory(struct vfu_device *dev, uint64_t address, size_t size)
{
	void *found;

	if (dev->dma_last < dev->dma_count) {
		found = memory_in(&dev->dma[dev->dma_last], address, size);
		if (found)
			return found;
	}
	for (unsigned int i = 0; i < dev->dma_count; i++) {
		found = memory_in(&dev->dma[i], address, size);
		if (found) {
			dev->dma_last = i;
			return found;
		}
	}
	return NULL;
}

/* Interrupts */

static void set_eventfd(struct vfu_device *dev, unsigned int index, unsigned int vector,
			int fd)
{
	int *slot = &dev->eventfd[index][vector];

	if (*slot >= 0)
		close(*slot);
	*slot = fd;
}

static int set_irqs(struct vfu_device *dev, struct message *message)
{
	struct vfio_irq_set *set = (void *)message->data;
	unsigned int end;

	if (message->size < sizeof(*set) || set->index >= VFIO_PCI_NUM_IRQS ||
	    set->start > VFU_MAX_VECTORS || set->count > VFU_MAX_VECTORS - set->start)
		return -EINVAL;
	if (!(set->flags & VFIO_IRQ_SET_ACTION_TRIGGER))
		return 0;	/* masking: nothing here is level-triggered */
	end = set->start + set->count;
	if (!set->count)	/* all of them off */
		end = VFU_MAX_VECTORS;
	else if (!(set->flags & VFIO_IRQ_SET_DATA_EVENTFD))
		return 0;	/* a self-test of the client's */
	for (unsigned int v = set->start; v < end; v++) {
		unsigned int n = v - set->start;
		bool given = set->count && n < message->fd_count;

		set_eventfd(dev, set->index, v, given ? message->fds[n] : -1);
		if (given)
			message->fds[n] = -1;
	}
	return 0;
}

bool vfu_interrupt(struct vfu_device *dev, unsigned int vector)
{
	static const unsigned int kinds[] = { VFIO_PCI_MSIX_IRQ_INDEX, VFIO_PCI_MSI_IRQ_INDEX };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		int fd = dev->eventfd[kinds[i]][vector];
		uint64_t one = 1;

		if (fd >= 0)
			return write(fd, &one, sizeof(one)) == sizeof(one);
	}
	return false;
}

/* Regions */

static void region_read(struct vfu_device *dev, struct region_access *access)
{
	if (dev->gone)
		memset(access->data, 0xff, access->count);
	else if (access->region != VFIO_PCI_CONFIG_REGION_INDEX)
		dev->ops->read(dev, access->region, access->offset, access->data, access->count);
	else if (access->offset + access->count <= VFU_CONFIG_SIZE)
		memcpy(access->data, dev->config + access->offset, access->count);
}

static void region_write(struct vfu_device *dev, const struct region_access *access)
{
	if (dev->gone)
		return;
	if (access->region != VFIO_PCI_CONFIG_REGION_INDEX)
		dev->ops->write(dev, access->region, access->offset, access->data, access->count);
	else if (access->offset + access->count > VFU_CONFIG_SIZE)
		return;
	else if (dev->ops->config_write)
		dev->ops->config_write(dev, access->offset, access->data, access->count);
	else
		memcpy(dev->config + access->offset, access->data, access->count);
}

static bool is_access(const struct message *message, bool with_data)
{
	const struct region_access *access = (const void *)message->data;

	return message->size >= sizeof(*access) &&
	       access->count <= MAX_TRANSFER && access->region < VFIO_PCI_NUM_REGIONS &&
	       (!with_data || message->size - sizeof(*access) >= access->count);
}

static void handle_read(struct vfu_device *dev, struct message *message)
{
	struct region_access *access = (void *)message->data;

	if (!is_access(message, false)) {
		refuse(dev, message, EINVAL);
		return;
	}
	memset(access->data, 0, access->count);
	region_read(dev, access);
	reply(dev, message, access, sizeof(*access) + access->count);
}

static void handle_write(struct vfu_device *dev, struct message *message)
{
	if (!is_access(message, true)) {
		refuse(dev, message, EINVAL);
		return;
	}
	region_write(dev, (void *)message->data);
	reply(dev, message, message->data, sizeof(struct region_access));
}

/* QEMU collects posted writes of up to 8 bytes */
static void handle_write_multi(struct vfu_device *dev, struct message *message)
{
	struct entry {
		uint64_t offset;
		uint32_t region;
		uint32_t count;
		uint64_t data;
	} *entries = (void *)(message->data + 8);
	struct {
		struct region_access access;
		uint64_t data;
	} one;
	uint64_t count;

	if (message->size < 8) {
		refuse(dev, message, EINVAL);
		return;
	}
	memcpy(&count, message->data, 8);
	if (count > (message->size - 8) / sizeof(*entries)) {
		refuse(dev, message, EINVAL);
		return;
	}
	for (uint64_t i = 0; i < count; i++) {
		if (entries[i].count > 8 || entries[i].region >= VFIO_PCI_NUM_REGIONS)
			continue;
		memcpy(&one, &entries[i], sizeof(*entries));
		region_write(dev, &one.access);
	}
	reply(dev, message, &count, sizeof(count));
}

/* What the device is */

static void handle_version(struct vfu_device *dev, struct message *message)
{
	static const char capabilities[] =
		"{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":1048576,"
		"\"pgsizes\":4096,\"max_dma_maps\":65535,\"write_multiple\":true}}";
	uint8_t answer[4 + sizeof(capabilities)];

	memcpy(answer, message->data, 4);	/* the client's version will do */
	memcpy(answer + 4, capabilities, sizeof(capabilities));
	reply(dev, message, answer, sizeof(answer));
}

static void handle_device_info(struct vfu_device *dev, struct message *message)
{
	uint32_t info[4] = {
		sizeof(info), VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET,
		VFIO_PCI_NUM_REGIONS, VFIO_PCI_NUM_IRQS,
	};

	reply(dev, message, info, sizeof(info));
}

static void handle_region_info(struct vfu_device *dev, struct message *message)
{
	struct vfio_region_info info;
	int fd = -1;

	memcpy(&info, message->data, sizeof(info));
	if (message->size < sizeof(info) || info.index >= VFIO_PCI_NUM_REGIONS) {
		refuse(dev, message, EINVAL);
		return;
	}
	info = (struct vfio_region_info){
		.argsz = sizeof(info),
		.index = info.index,
		.size = dev->regions[info.index].size,
	};
	if (info.size)
		info.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	if (info.size && dev->regions[info.index].fd >= 0) {
		info.flags |= VFIO_REGION_INFO_FLAG_MMAP;
		fd = dev->regions[info.index].fd;
	}
	send_reply(dev, message, 0, &info, sizeof(info), fd);
}

static void handle_irq_info(struct vfu_device *dev, struct message *message)
{
	struct vfio_irq_info info;

	memcpy(&info, message->data, sizeof(info));
	if (message->size < sizeof(info) || info.index >= VFIO_PCI_NUM_IRQS) {
		refuse(dev, message, EINVAL);
		return;
	}
	info.argsz = sizeof(info);
	info.count = dev->vectors[info.index];
	info.flags = info.count ? VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE : 0;
	reply(dev, message, &info, sizeof(info));
}

static void answer(struct vfu_device *dev, struct message *message, int error, size_t size)
{
	if (error)
		refuse(dev, message, -error);
	else
		reply(dev, message, message->data, size);
}

static void handle(struct vfu_device *dev, struct message *message)
{
	switch (message->header.command) {
	case VERSION:
		handle_version(dev, message);
		break;
	case DMA_MAP:
		answer(dev, message, map_memory(dev, message), 0);
		break;
	case DMA_UNMAP:
		answer(dev, message, unmap_memory(dev, message), sizeof(struct dma_unmap));
		break;
	case DEVICE_GET_INFO:
		handle_device_info(dev, message);
		break;
	case DEVICE_GET_REGION_INFO:
		handle_region_info(dev, message);
		break;
	case DEVICE_GET_IRQ_INFO:
		handle_irq_info(dev, message);
		break;
	case DEVICE_SET_IRQS:
		answer(dev, message, set_irqs(dev, message), 0);
		break;
	case REGION_READ:
		handle_read(dev, message);
		break;
	case REGION_WRITE:
		handle_write(dev, message);
		break;
	case REGION_WRITE_MULTI:
		handle_write_multi(dev, message);
		break;
	case DEVICE_RESET:
		if (dev->ops->reset)
			dev->ops->reset(dev);
		answer(dev, message, 0, 0);
		break;
	default:
		refuse(dev, message, ENOTSUP);
	}
}

/* Life */

int vfu_listen(struct vfu_device *dev, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path));
	catch_signals();
	for (unsigned int i = 0; i < VFIO_PCI_NUM_IRQS; i++)
		for (unsigned int v = 0; v < VFU_MAX_VECTORS; v++)
			dev->eventfd[i][v] = -1;
	dev->regions[VFIO_PCI_CONFIG_REGION_INDEX] = (struct vfu_region){ VFU_CONFIG_SIZE, -1 };
	unlink(path);
	dev->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (dev->socket < 0 ||
	    bind(dev->socket, (struct sockaddr *)&address, sizeof(address)))
		return -1;
	return listen(dev->socket, 1);
}

static int wait_for_client(struct vfu_device *dev)
{
	int client;

	do
		client = accept4(dev->socket, NULL, NULL, SOCK_CLOEXEC);
	while (client < 0 && errno == EINTR && !stopped);
	close(dev->socket);
	dev->socket = client;
	return client < 0 ? -1 : 0;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

/* By the clock: a client that polls a register would starve a timeout. */
static void tick(struct vfu_device *dev)
{
	static uint64_t last;
	uint64_t now = now_ms();

	if (signalled && dev->ops->signal) {
		signalled = 0;
		dev->ops->signal(dev);
	}
	if (!dev->ops->tick || now - last < VFU_TICK_MS)
		return;
	last = now;
	dev->ops->tick(dev);
}

static bool wait_for_message(struct vfu_device *dev)
{
	struct pollfd ready = { .fd = dev->socket, .events = POLLIN };

	tick(dev);
	return poll(&ready, 1, dev->ops->tick ? VFU_TICK_MS : -1) > 0;
}

int vfu_run(struct vfu_device *dev)
{
	static struct message message;
	int got = 1;

	if (wait_for_client(dev))
		return stopped ? 0 : -1;
	while (!stopped && got > 0) {
		if (!wait_for_message(dev))
			continue;
		got = receive(dev, &message);
		if (got > 0)
			handle(dev, &message);
		close_fds(&message);
	}
	close(dev->socket);
	return got < 0 ? -1 : 0;
}
