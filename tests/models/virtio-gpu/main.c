// SPDX-License-Identifier: GPL-2.0-only
/* Options, faults, and who waits for what. */

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <linux/virtio_config.h>

#include "gpu.h"

#define MAX_FAULTS	16
#define MAX_PENDING	1024
#define MAX_LINE	512

struct gpu_options gpu_options;

enum kind { NONE, LATE, ERROR, NEVER, UNKNOWN, TWICE };

/* A command that is answered in another way */
static struct fault {
	enum kind kind;
	char command[32];		/* "any" for all */
	unsigned int skip;		/* so many are answered as usual before */
	unsigned int count;		/* and so many not; 0 for no end */
	unsigned int ms;		/* how late */
} fault[MAX_FAULTS];

/* Answers that wait for their time */
static struct pending {
	unsigned int queue;
	uint16_t head;
	uint32_t size;
	uint64_t when;			/* in ms */
} pending[MAX_PENDING];
static unsigned int num_pending;

static struct virtio_gpu_config config;

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

/* A line as those of QEMU's trace: process, time, event */
void gpu_log(const char *format, ...)
{
	struct timeval now;
	va_list args;

	gettimeofday(&now, NULL);
	if (strncmp(format, "virtio_", 7) == 0)
		fprintf(gpu_options.log, "%d@%lu.%06lu:", getpid(),
			(unsigned long)now.tv_sec, (unsigned long)now.tv_usec);
	va_start(args, format);
	vfprintf(gpu_options.log, format, args);
	va_end(args);
	fputc('\n', gpu_options.log);
	fflush(gpu_options.log);
}

/*
 * Faults
 */

/* KIND:COMMAND[:SKIP[:COUNT[:MS]]] */
static bool add_fault(const char *text)
{
	static const char *const kinds[] = { "", "late", "error", "never",
					       "unknown", "twice" };
	struct fault new = { .count = 0, .ms = 1000 };
	char kind[8];
	unsigned int i;

	if (sscanf(text, "%7[a-z]:%31[a-z_0-9]:%u:%u:%u", kind, new.command, &new.skip,
		   &new.count, &new.ms) < 2)
		return false;
	for (i = 1; i < ARRAY_SIZE(kinds); i++) {
		if (!strcmp(kind, kinds[i]))
			new.kind = i;
	}
	for (i = 0; i < MAX_FAULTS && fault[i].kind; i++)
		;
	if (!new.kind || i == MAX_FAULTS)
		return false;
	fault[i] = new;

	return true;
}

/*
 * What is to be done with a command, and how late. One of the cursor queue has no room
 * for an answer that could be an error.
 */
static enum kind take_fault(uint32_t type, bool has_answer, unsigned int *ms)
{
	const char *name = gpu_command_name(type);
	enum kind kind;
	struct fault *f;

	for (f = fault; f < fault + MAX_FAULTS; f++) {
		if (!f->kind || !name ||
		    (strcmp(f->command, name) && strcmp(f->command, "any")) ||
		    ((f->kind == ERROR || f->kind == UNKNOWN) && !has_answer))
			continue;
		if (f->skip) {
			f->skip--;
			continue;
		}
		kind = f->kind;
		*ms = f->ms;
		if (f->count && !--f->count)
			f->kind = NONE;
		return kind;
	}

	return NONE;
}

/*
 * Answers
 */

static void answer_at(const struct vu_request *request, uint32_t size, uint64_t when)
{
	if (num_pending == MAX_PENDING) {
		fprintf(stderr, "gpu: too many answers are late\n");
		exit(1);
	}
	pending[num_pending++] = (struct pending){ request->queue, request->head, size, when };
}

static void answer_due(bool all)
{
	uint64_t now = now_ms();
	unsigned int i, left = 0;

	for (i = 0; i < num_pending; i++) {
		if (all || pending[i].when <= now)
			vu_answer(pending[i].queue, pending[i].head, pending[i].size);
		else
			pending[left++] = pending[i];
	}
	num_pending = left;
}

/* In ms, -1 for never */
static int next_due(void)
{
	uint64_t now = now_ms(), first = UINT64_MAX;
	unsigned int i;

	for (i = 0; i < num_pending; i++) {
		if (pending[i].when < first)
			first = pending[i].when;
	}
	if (first == UINT64_MAX)
		return -1;

	return first > now ? (int)(first - now) : 0;
}

static void serve(struct vu_request *request)
{
	static union {
		struct virtio_gpu_ctrl_hdr hdr;
		struct virtio_gpu_resp_display_info display_info;
		struct virtio_gpu_resp_edid edid;
		uint8_t bytes[2048];
	} answer;
	struct virtio_gpu_ctrl_hdr hdr = {};
	size_t size = sizeof(answer.hdr);
	uint64_t burst;
	enum kind kind;
	unsigned int ms = 0;
	uint32_t type;

	vu_gather(request->out, request->num_out, 0, &hdr, sizeof(hdr));
	kind = take_fault(hdr.type, request->num_in, &ms);
	memset(&answer, 0, sizeof(answer));
	if (kind == ERROR || kind == UNKNOWN) {
		gpu_refuse(request);
		type = kind == ERROR ? VIRTIO_GPU_RESP_ERR_UNSPEC :
				       VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	} else {
		type = gpu_obey(request, &answer, &size);
	}
	answer.hdr.type = type;
	if (hdr.flags & VIRTIO_GPU_FLAG_FENCE) {
		answer.hdr.flags = hdr.flags;
		answer.hdr.fence_id = hdr.fence_id;
		answer.hdr.ctx_id = hdr.ctx_id;
		answer.hdr.ring_idx = hdr.ring_idx;
	}
	size = vu_scatter(request->in, request->num_in, &answer, size);

	if (kind == NEVER) {
		gpu_log("# %s is not answered", gpu_command_name(hdr.type));
	} else if (kind == LATE) {
		gpu_log("# %s is answered late", gpu_command_name(hdr.type));
		answer_at(request, size, now_ms() + ms);
	} else if (gpu_options.burst_ms) {
		burst = gpu_options.burst_ms;
		answer_at(request, size, (now_ms() / burst + 1) * burst);
	} else {
		vu_answer(request->queue, request->head, size);
		if (kind == TWICE)
			vu_answer(request->queue, request->head, size);
	}
}

static void reset(void)
{
	gpu_log("virtio_set_status vdev 0x1 val 0");
	num_pending = 0;
	gpu_reset();
}

static void start(void)
{
	gpu_log("virtio_set_status vdev 0x1 val 15");
}

/*
 * What the test wants: a line, and a line for an answer
 */

static bool obey_test(char *line)
{
	char path[MAX_LINE];
	unsigned int output;

	if (sscanf(line, "screen %u %511s", &output, path) == 2)
		return gpu_save_screen(output, path);
	if (sscanf(line, "cursor %u %511s", &output, path) == 2)
		return gpu_save_cursor(output, path);
	if (sscanf(line, "fault %511s", path) == 1)
		return add_fault(path);
	if (sscanf(line, "burst %u", &gpu_options.burst_ms) == 1)
		return true;
	if (!strncmp(line, "healthy", 7)) {
		memset(fault, 0, sizeof(fault));
		answer_due(true);
		return true;
	}

	return false;
}

static bool serve_test(int connection)
{
	static char line[MAX_LINE];
	static size_t size;
	const char *answer;
	ssize_t got;

	got = read(connection, line + size, sizeof(line) - 1 - size);
	if (got <= 0) {
		size = 0;
		return false;
	}
	size += got;
	line[size] = '\0';
	if (!strchr(line, '\n'))
		return size < sizeof(line) - 1;
	answer = obey_test(line) ? "ok\n" : "error\n";
	size = 0;

	return write(connection, answer, strlen(answer)) > 0;
}

static void run(int listener, int control)
{
	int qemu = -1, test = -1;

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = qemu < 0 ? listener : qemu, .events = POLLIN },
			{ .fd = test < 0 ? control : test, .events = POLLIN },
			{ .fd = vu_kick_fd(0), .events = POLLIN },
			{ .fd = vu_kick_fd(1), .events = POLLIN },
		};
		unsigned int i;

		if (poll(fds, ARRAY_SIZE(fds), next_due()) < 0 && errno != EINTR)
			return;
		answer_due(false);
		/* what was asked before a reset is served before it */
		for (i = 0; i < VU_QUEUES; i++) {
			if (fds[2 + i].revents & POLLIN)
				vu_kicked(i);
		}
		if (fds[0].revents) {
			if (qemu < 0)
				qemu = vu_accept(listener);
			else if (!vu_serve(qemu))
				return;
		}
		if (fds[1].revents) {
			if (test < 0) {
				test = vu_accept(control);
			} else if (!serve_test(test)) {
				close(test);
				test = -1;
			}
		}
	}
}

/*
 * Options
 */

static const char usage[] =
	"usage: gpu --socket PATH --control PATH --log FILE --output WIDTHxHEIGHT ...\n"
	"  --socket PATH   where QEMU connects\n"
	"  --control PATH  where a test connects; its lines are answered with ok or error:\n"
	"                  screen OUTPUT FILE, cursor OUTPUT FILE, fault FAULT, healthy,\n"
	"                  burst MS\n"
	"  --log FILE      the commands, as QEMU's trace has them\n"
	"  --output WxH    one more output\n"
	"  --blob          guest blobs\n"
	"  --3d            contexts, which are not rendered in\n"
	"  --keep          a reset does not take resources\n"
	"  --burst MS      answers come together, that often\n"
	"  --fault KIND:COMMAND[:SKIP[:COUNT[:MS]]]\n"
	"                  late, error, never, unknown (the error for an id that it does\n"
	"                  not know), twice; COMMAND as in the log, or any\n";

static const struct option options[] = {
	{ "socket", required_argument, NULL, 's' },
	{ "control", required_argument, NULL, 'c' },
	{ "log", required_argument, NULL, 'l' },
	{ "output", required_argument, NULL, 'o' },
	{ "blob", no_argument, NULL, 'b' },
	{ "3d", no_argument, NULL, '3' },
	{ "keep", no_argument, NULL, 'k' },
	{ "burst", required_argument, NULL, 'm' },
	{ "fault", required_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

static bool add_output(const char *text)
{
	unsigned int n = gpu_options.num_outputs;

	if (n == VIRTIO_GPU_MAX_SCANOUTS ||
	    sscanf(text, "%ux%u", &gpu_options.output[n].width,
		   &gpu_options.output[n].height) != 2)
		return false;
	gpu_options.num_outputs++;

	return true;
}

static void misused(const char *why)
{
	fprintf(stderr, "gpu: %s\n%s", why, usage);
	exit(2);
}

int main(int argc, char **argv)
{
	struct vu_device device = {
		.features = 1ULL << VIRTIO_GPU_F_EDID | 1ULL << VIRTIO_GPU_F_RESOURCE_UUID,
		.config = &config,
		.config_size = sizeof(config),
		.request = serve,
		.reset = reset,
		.start = start,
	};
	const char *path = NULL, *control_path = NULL, *log = NULL;
	int listener, control, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 's':
			path = optarg;
			break;
		case 'c':
			control_path = optarg;
			break;
		case 'l':
			log = optarg;
			break;
		case 'o':
			if (!add_output(optarg))
				misused("--output wants WIDTHxHEIGHT");
			break;
		case 'b':
			gpu_options.blob = true;
			device.features |= 1ULL << VIRTIO_GPU_F_RESOURCE_BLOB;
			break;
		case '3':
			gpu_options.three_d = true;
			device.features |= 1ULL << VIRTIO_GPU_F_VIRGL |
					   1ULL << VIRTIO_GPU_F_CONTEXT_INIT;
			config.num_capsets = 1;
			break;
		case 'k':
			gpu_options.keep = true;
			break;
		case 'm':
			gpu_options.burst_ms = atoi(optarg);
			break;
		case 'f':
			if (!add_fault(optarg))
				misused("there is no such fault");
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			misused("there is no such option");
		}
	}
	if (!path || !control_path || !log)
		misused("--socket, --control and --log are needed");

	gpu_options.log = fopen(log, "w");
	config.num_scanouts = gpu_options.num_outputs;
	if (gpu_options.log && gpu_options.keep)
		gpu_log("# a reset does not take resources");
	vu_init(&device);
	control = vu_listen(control_path);
	listener = vu_listen(path);
	if (!gpu_options.log || listener < 0 || control < 0) {
		perror("gpu");
		return 1;
	}
	run(listener, control);

	return 0;
}
