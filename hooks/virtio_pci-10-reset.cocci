// SPDX-License-Identifier: GPL-2.0-only
// virtio-pci: no driver is bound or unbound in the middle of a function reset.
//
//# when drivers/virtio/virtio_pci_common.c virtio_pci_reset_prepare
//# file drivers/virtio/virtio_pci_common.c
//# add 1 device_lock(&vp_dev->vdev.dev);
//# add 1 device_unlock(&vp_dev->vdev.dev);

@prepare@
identifier vp_dev, ret;
@@
 virtio_pci_reset_prepare(...)
 {
 	...
+	device_lock(&vp_dev->vdev.dev);
 	ret = virtio_device_reset_prepare(&vp_dev->vdev);
 	...
 }

@done@
identifier pci_dev, vp_dev, ret;
statement S;
@@
 virtio_pci_reset_done(struct pci_dev *pci_dev)
 {
 	struct virtio_pci_device *vp_dev = ...;
 	...
 	if (pci_is_enabled(pci_dev))
-		return;
+		goto out_unlock;
 	...
 	if (ret && ret != -EOPNOTSUPP)
 		S
+
+out_unlock:
+	device_unlock(&vp_dev->vdev.dev);
 }
