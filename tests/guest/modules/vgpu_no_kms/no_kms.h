/* SPDX-License-Identifier: GPL-2.0-only */
/* As if configured without CONFIG_DRM_VIRTIO_GPU_KMS. */
#undef CONFIG_DRM_VIRTIO_GPU_KMS
