// SPDX-License-Identifier: GPL-2.0-only
/* See QEMU's docs/interop/vhost-user.rst. */

#define _GNU_SOURCE

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "vhost_user.h"

enum {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	RESET_OWNER = 4,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	GET_VRING_BASE = 11,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	SET_VRING_ERR = 14,
	GET_PROTOCOL_FEATURES = 15,
	SET_PROTOCOL_FEATURES = 16,
	GET_QUEUE_NUM = 17,
	SET_VRING_ENABLE = 18,
	GET_CONFIG = 24,
	SET_CONFIG = 25,
	SET_STATUS = 39,
	GET_STATUS = 40,
};

#define VERSION			1
#define FLAG_REPLY		(1 << 2)
#define FLAG_NEED_REPLY		(1 << 3)

#define F_PROTOCOL_FEATURES	(1ULL << 30)
#define PROTOCOL_REPLY_ACK	(1ULL << 3)
#define PROTOCOL_CONFIG		(1ULL << 9)
#define PROTOCOL_STATUS		(1ULL << 16)

#define NO_FD			(1 << 8)	/* of the vring messages with one */
#define MAX_REGIONS		8
#define MAX_CONFIG		256

struct region {
	uint64_t guest;			/* address for the guest */
	uint64_t size;
	uint64_t qemu;			/* address in QEMU */
	uint64_t offset;		/* in the file */
};

struct message {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
	union {
		uint64_t u64;
		struct {
			uint32_t index;
			uint32_t num;
		} state;
		struct {
			uint32_t index;
			uint32_t flags;
			uint64_t desc;
			uint64_t used;
			uint64_t avail;
			uint64_t log;
		} addr;
		struct {
			uint32_t num;
			uint32_t padding;
			struct region region[MAX_REGIONS];
		} memory;
		struct {
			uint32_t offset;
			uint32_t size;
			uint32_t flags;
			uint8_t data[MAX_CONFIG];
		} config;
	};
} __attribute__((packed));

#define HEADER_SIZE	12

static struct {
	struct region region[MAX_REGIONS];
	void *mapped[MAX_REGIONS];
	unsigned int num_regions;
	struct {
		unsigned int num;
		struct vring_desc *desc;
		struct vring_avail *avail;
		struct vring_used *used;
		uint16_t next;
		bool started;
		int kick, call;
	} queue[VU_QUEUES];
	uint8_t status;
} vu;

static const struct vu_device *device;

static void fail(const char *what)
{
	fprintf(stderr, "vhost-user: %s\n", what);
	exit(1);
}

void vu_init(const struct vu_device *of)
{
	unsigned int i;

	device = of;
	for (i = 0; i < VU_QUEUES; i++) {
		vu.queue[i].kick = -1;
		vu.queue[i].call = -1;
	}
}

/*
 * Memory
 */

static void unmap_memory(void)
{
	while (vu.num_regions) {
		vu.num_regions--;
		munmap(vu.mapped[vu.num_regions],
		       vu.region[vu.num_regions].size + vu.region[vu.num_regions].offset);
	}
}

static void map_memory(const struct message *message, const int *fds, unsigned int num_fds)
{
	unsigned int i;
	void *mapped;

	unmap_memory();
	if (message->memory.num > MAX_REGIONS || message->memory.num != num_fds)
		fail("the memory is in too many pieces");
	for (i = 0; i < num_fds; i++) {
		vu.region[i] = message->memory.region[i];
		mapped = mmap(NULL, vu.region[i].size + vu.region[i].offset,
			      PROT_READ | PROT_WRITE, MAP_SHARED, fds[i], 0);
		if (mapped == MAP_FAILED)
			fail("the guest's memory cannot be mapped");
		close(fds[i]);
		vu.mapped[i] = mapped;
		vu.num_regions++;
	}
}

static void *find(uint64_t addr, size_t size, bool qemu)
{
	const struct region *region;
	uint64_t base;
	unsigned int i;

	for (i = 0; i < vu.num_regions; i++) {
		region = &vu.region[i];
		base = qemu ? region->qemu : region->guest;
		if (addr >= base && size <= region->size &&
		    addr - base <= region->size - size)
			return (uint8_t *)vu.mapped[i] + region->offset + (addr - base);
	}

	return NULL;
}

void *vu_memory(uint64_t addr, size_t size)
{
	return find(addr, size, false);
}

size_t vu_gather(const struct iovec *pieces, unsigned int num, size_t offset,
		 void *data, size_t size)
{
	size_t done = 0, part;
	unsigned int i;

	for (i = 0; i < num && done < size; i++) {
		if (offset >= pieces[i].iov_len) {
			offset -= pieces[i].iov_len;
			continue;
		}
		part = pieces[i].iov_len - offset;
		if (part > size - done)
			part = size - done;
		memcpy((uint8_t *)data + done, (uint8_t *)pieces[i].iov_base + offset, part);
		done += part;
		offset = 0;
	}

	return done;
}

size_t vu_scatter(const struct iovec *pieces, unsigned int num,
		  const void *data, size_t size)
{
	size_t done = 0, part;
	unsigned int i;

	for (i = 0; i < num && done < size; i++) {
		part = pieces[i].iov_len;
		if (part > size - done)
			part = size - done;
		memcpy(pieces[i].iov_base, (const uint8_t *)data + done, part);
		done += part;
	}

	return done;
}

/*
 * Rings
 */

static bool add_piece(struct vu_request *request, const struct vring_desc *desc)
{
	struct iovec piece = { vu_memory(desc->addr, desc->len), desc->len };

	if (!piece.iov_base)
		return false;
	if (desc->flags & VRING_DESC_F_WRITE) {
		if (request->num_in == VU_MAX_PIECES)
			return false;
		request->in[request->num_in++] = piece;
	} else {
		if (request->num_out == VU_MAX_PIECES)
			return false;
		request->out[request->num_out++] = piece;
	}

	return true;
}

static void read_request(struct vu_request *request)
{
	const struct vring_desc *table = vu.queue[request->queue].desc;
	unsigned int num = vu.queue[request->queue].num, at = request->head, i;

	request->num_in = 0;
	request->num_out = 0;
	if (table[at].flags & VRING_DESC_F_INDIRECT) {
		num = table[at].len / sizeof(*table);
		table = vu_memory(table[at].addr, table[at].len);
		at = 0;
	}
	for (i = 0; table && i < num && at < num; i++) {
		if (!add_piece(request, &table[at]))
			break;
		if (!(table[at].flags & VRING_DESC_F_NEXT))
			return;
		at = table[at].next;
	}
	fail("the guest's ring is not one");
}

void vu_kicked(unsigned int queue)
{
	static struct vu_request request;
	uint64_t count;

	if (vu.queue[queue].kick >= 0 &&
	    read(vu.queue[queue].kick, &count, sizeof(count)) < 0 && errno != EAGAIN)
		fail("the kick cannot be read");
	if (!vu.queue[queue].started)
		return;

	while (vu.queue[queue].next !=
	       __atomic_load_n(&vu.queue[queue].avail->idx, __ATOMIC_ACQUIRE)) {
		request.queue = queue;
		request.head = vu.queue[queue].avail->ring[vu.queue[queue].next %
							   vu.queue[queue].num];
		vu.queue[queue].next++;
		read_request(&request);
		device->request(&request);
	}
}

void vu_answer(unsigned int queue, uint16_t head, uint32_t size)
{
	struct vring_used *used = vu.queue[queue].used;
	uint64_t one = 1;

	if (!vu.queue[queue].started)
		return;
	used->ring[used->idx % vu.queue[queue].num] =
		(struct vring_used_elem){ .id = head, .len = size };
	__atomic_store_n(&used->idx, used->idx + 1, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!(vu.queue[queue].avail->flags & VRING_AVAIL_F_NO_INTERRUPT) &&
	    vu.queue[queue].call >= 0 &&
	    write(vu.queue[queue].call, &one, sizeof(one)) < 0)
		fail("the interrupt cannot be raised");
}

int vu_kick_fd(unsigned int queue)
{
	return vu.queue[queue].started ? vu.queue[queue].kick : -1;
}

static bool any_started(void)
{
	return vu.queue[0].started || vu.queue[1].started;
}

static void stop_queues(void)
{
	vu.queue[0].started = false;
	vu.queue[1].started = false;
}

/* The first queue that QEMU stops ends all that the driver has asked for. */
static void stop(unsigned int queue)
{
	if (any_started() && vu.queue[queue].started)
		device->reset();
	stop_queues();
}

static void start(unsigned int queue)
{
	bool first = !any_started();

	vu.queue[queue].started = true;
	if (first)
		device->start();
	vu_kicked(queue);
}

/*
 * Messages
 */

static int listen_on(const char *path, struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	addr->sun_family = AF_UNIX;
	if (fd < 0 || strlen(path) >= sizeof(addr->sun_path))
		return -1;
	memcpy(addr->sun_path, path, strlen(path) + 1);
	return fd;
}

/* The name appears when it can be connected to. */
int vu_listen(const char *path)
{
	struct sockaddr_un addr = {};
	char temp[sizeof(addr.sun_path)];
	int fd;

	if (snprintf(temp, sizeof(temp), "%s.new", path) >= (int)sizeof(temp))
		return -1;
	fd = listen_on(temp, &addr);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(fd, 4) || rename(temp, path))
		return -1;

	return fd;
}

int vu_accept(int listener)
{
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

static bool receive(int connection, struct message *message, int *fds, unsigned int *num_fds)
{
	char control[CMSG_SPACE(MAX_REGIONS * sizeof(int))];
	struct iovec piece = { message, HEADER_SIZE };
	struct msghdr header = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *part;

	*num_fds = 0;
	if (recvmsg(connection, &header, MSG_WAITALL | MSG_CMSG_CLOEXEC) != HEADER_SIZE)
		return false;
	for (part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		*num_fds = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(part), *num_fds * sizeof(int));
	}
	if (message->size > sizeof(*message) - HEADER_SIZE)
		fail("a message is too long");

	return !message->size ||
	       recv(connection, (uint8_t *)message + HEADER_SIZE, message->size,
		    MSG_WAITALL) == (ssize_t)message->size;
}

static void reply(int connection, struct message *message, uint32_t size)
{
	message->flags = VERSION | FLAG_REPLY;
	message->size = size;
	if (send(connection, message, HEADER_SIZE + size, MSG_NOSIGNAL) !=
	    (ssize_t)(HEADER_SIZE + size))
		fail("QEMU takes no answer");
}

static void set_fd(int *fd, const struct message *message, const int *fds,
		   unsigned int num_fds)
{
	if (*fd >= 0)
		close(*fd);
	*fd = !(message->u64 & NO_FD) && num_fds ? fds[0] : -1;
}

static unsigned int queue_of(uint64_t index)
{
	if ((index & 0xff) >= VU_QUEUES)
		fail("there is no such queue");
	return index & 0xff;
}

static void set_ring(const struct message *message)
{
	unsigned int queue = queue_of(message->addr.index);
	unsigned int num = vu.queue[queue].num;

	vu.queue[queue].desc = find(message->addr.desc, num * sizeof(struct vring_desc), true);
	vu.queue[queue].avail = find(message->addr.avail, 4 + 2 * num, true);
	vu.queue[queue].used = find(message->addr.used, 4 + 8 * num, true);
	if (!vu.queue[queue].desc || !vu.queue[queue].avail || !vu.queue[queue].used)
		fail("a ring is not in the guest's memory");
}

static void set_status(uint8_t status)
{
	if (vu.status && !status && any_started()) {
		device->reset();
		stop_queues();
	}
	vu.status = status;
}

/* What there is no answer to, unless QEMU asks for one */
static bool obey(struct message *message, const int *fds, unsigned int num_fds)
{
	unsigned int queue;

	switch (message->request) {
	case SET_FEATURES:
	case SET_PROTOCOL_FEATURES:
	case SET_OWNER:
	case RESET_OWNER:
		return true;
	case SET_MEM_TABLE:
		map_memory(message, fds, num_fds);
		return true;
	case SET_VRING_NUM:
		vu.queue[queue_of(message->state.index)].num = message->state.num;
		return true;
	case SET_VRING_ADDR:
		set_ring(message);
		return true;
	case SET_VRING_BASE:
		vu.queue[queue_of(message->state.index)].next = message->state.num;
		return true;
	case SET_VRING_KICK:
		queue = queue_of(message->u64);
		set_fd(&vu.queue[queue].kick, message, fds, num_fds);
		start(queue);
		return true;
	case SET_VRING_CALL:
		set_fd(&vu.queue[queue_of(message->u64)].call, message, fds, num_fds);
		return true;
	case SET_VRING_ERR:
		if (num_fds)
			close(fds[0]);
		return true;
	case SET_VRING_ENABLE:
		return true;
	case SET_CONFIG:
		/* the guest acknowledges events, of which there are none */
		return true;
	case SET_STATUS:
		set_status(message->u64);
		return true;
	}

	return false;
}

/* What is to be answered in any case; returns the size of that, or 0 */
static uint32_t answer(struct message *message)
{
	unsigned int queue;

	switch (message->request) {
	case GET_FEATURES:
		message->u64 = device->features | F_PROTOCOL_FEATURES |
			       1ULL << VIRTIO_F_VERSION_1 |
			       1ULL << VIRTIO_RING_F_INDIRECT_DESC;
		return sizeof(message->u64);
	case GET_PROTOCOL_FEATURES:
		message->u64 = PROTOCOL_REPLY_ACK | PROTOCOL_CONFIG | PROTOCOL_STATUS;
		return sizeof(message->u64);
	case GET_QUEUE_NUM:
		message->u64 = VU_QUEUES;
		return sizeof(message->u64);
	case GET_STATUS:
		message->u64 = vu.status;
		return sizeof(message->u64);
	case GET_VRING_BASE:
		queue = queue_of(message->state.index);
		stop(queue);
		message->state.num = vu.queue[queue].next;
		return sizeof(message->state);
	case GET_CONFIG:
		if (message->config.offset + message->config.size > device->config_size ||
		    message->config.size > MAX_CONFIG)
			fail("the configuration space is smaller than QEMU believes");
		memcpy(message->config.data,
		       (uint8_t *)device->config + message->config.offset,
		       message->config.size);
		return 12 + message->config.size;
	}

	return 0;
}

/* One message of QEMU; false if it is gone */
bool vu_serve(int connection)
{
	static struct message message;
	int fds[MAX_REGIONS];
	unsigned int num_fds;
	bool need_reply;
	uint32_t size;

	if (!receive(connection, &message, fds, &num_fds))
		return false;

	need_reply = message.flags & FLAG_NEED_REPLY;
	if (obey(&message, fds, num_fds)) {
		message.u64 = 0;
		if (need_reply)
			reply(connection, &message, sizeof(message.u64));
		return true;
	}
	size = answer(&message);
	if (!size) {
		fprintf(stderr, "vhost-user: request %u is not known\n", message.request);
		exit(1);
	}
	reply(connection, &message, size);

	return true;
}
