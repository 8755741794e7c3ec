// SPDX-License-Identifier: GPL-2.0-only
// virtio-gpu: features are an array in 7.2, and virtio-pci tells only that one.
//
//# when include/linux/virtio_config.h virtio_get_features(
//# file drivers/gpu/drm/virtio/virtgpu_pm.c
//# gone config->get_features
//# add 1 virtio_get_features(vdev, offered);

@ask@
identifier vdev;
@@
-offered = vdev->config->get_features(vdev);
+virtio_get_features(vdev, offered);

@compare@
identifier vdev;
@@
-vdev->features & ~offered
+vdev->features & ~offered[0]

@declare depends on ask@
@@
-u64 offered;
+u64 offered[VIRTIO_FEATURES_U64S];
