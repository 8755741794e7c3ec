/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small vfio-user server: presents a PCI device that this process models to
 * one client, which is QEMU's vfio-user-pci.
 *
 * One thread, one client, one device. The model fills in a struct vfu_device,
 * calls vfu_listen() and then vfu_run(), which calls the model back until the
 * client hangs up. A client that comes back gets another process: that is what
 * a power cycle is in the tests.
 *
 * Implemented: version, DMA map and unmap (memory that comes with a file
 * descriptor), device info and reset, region info, read and write (also
 * several writes in one message), interrupt info and set (INTx, MSI and MSI-X
 * by eventfd). Not implemented: DMA by messages, ioeventfds, dirty pages,
 * migration. What is not implemented is answered with ENOTSUP.
 */
#ifndef VFIO_USER_H
#define VFIO_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/vfio.h>

#define VFU_CONFIG_SIZE		4096
#define VFU_MAX_VECTORS		64

struct vfu_device;

/**
 * struct vfu_ops - what the model does
 * @read: region @region is read, @size bytes; never called for config space
 * @write: the same for writing
 * @config_write: config space is written; if NULL the bytes are just stored
 * @reset: the client resets the device
 * @tick: called about every VFU_TICK_MS, for what does not come from outside
 * @signal: SIGUSR1 arrived
 */
struct vfu_ops {
	void (*read)(struct vfu_device *dev, unsigned int region, uint64_t offset,
		     void *data, size_t size);
	void (*write)(struct vfu_device *dev, unsigned int region, uint64_t offset,
		      const void *data, size_t size);
	void (*config_write)(struct vfu_device *dev, uint64_t offset,
			     const void *data, size_t size);
	void (*reset)(struct vfu_device *dev);
	void (*tick)(struct vfu_device *dev);
	void (*signal)(struct vfu_device *dev);
};

#define VFU_TICK_MS	5

/**
 * struct vfu_region - one region of the device
 * @size: 0 if it is not there
 * @fd: memory that the client may map instead of asking, or -1
 */
struct vfu_region {
	uint64_t size;
	int fd;
};

/* One piece of the client's memory */
struct vfu_dma {
	uint64_t address;
	uint64_t size;
	uint8_t *host;		/* NULL: came without a file descriptor */
};

/**
 * struct vfu_device - a PCI device
 * @ops: set by the model, as all of the following up to @private
 * @regions: by VFIO_PCI_*_REGION_INDEX; config space is always there
 * @vectors: how many interrupt vectors, by VFIO_PCI_*_IRQ_INDEX
 * @config: config space, as the client reads it
 * @gone: off the bus: all of it reads as ones, and takes nothing
 * @private: the model's own
 */
struct vfu_device {
	const struct vfu_ops *ops;
	struct vfu_region regions[VFIO_PCI_NUM_REGIONS];
	unsigned int vectors[VFIO_PCI_NUM_IRQS];
	uint8_t config[VFU_CONFIG_SIZE];
	bool gone;
	void *private;

	/* the library's own */
	int socket;
	struct vfu_dma *dma;
	unsigned int dma_count;
	unsigned int dma_last;
	int eventfd[VFIO_PCI_NUM_IRQS][VFU_MAX_VECTORS];
};

/**
 * vfu_listen - make the socket; when this returns the client may be started
 * @dev: the device
 * @path: of the socket, which is replaced if it exists
 *
 * Return: 0, or -1 with errno set
 */
int vfu_listen(struct vfu_device *dev, const char *path);

/**
 * vfu_run - wait for the client and serve it until it hangs up or SIGTERM
 * @dev: the device
 *
 * Return: 0, or -1 if the client sent what cannot be understood
 */
int vfu_run(struct vfu_device *dev);

/**
 * vfu_memory - the client's memory, as the device sees it
 * @dev: the device
 * @address: bus address
 * @size: all of it must be in one piece
 *
 * Return: a pointer that is good until the next callback, or NULL
 */
void *vfu_memory(struct vfu_device *dev, uint64_t address, size_t size);

/**
 * vfu_interrupt - raise a vector of MSI-X if it is in use, else of MSI
 * @dev: the device
 * @vector: counted from 0
 *
 * Return: whether anybody listens
 */
bool vfu_interrupt(struct vfu_device *dev, unsigned int vector);

#endif
