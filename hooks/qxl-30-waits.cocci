// SPDX-License-Identifier: GPL-2.0-only
// qxl: no wait for the host without a limit in a suspend or resume, and none if it is
// stopped.
//
//# file drivers/gpu/drm/qxl/qxl_cmd.c
//# gone 5*HZ
//# gone mutex_lock(&qdev->async_io_mutex)
//# gone mutex_unlock(&qdev->async_io_mutex)
//# gone wait_event(
//# gone udelay(1);
//# add 1 static int qxl_ring_wait(
//# add 1 if (!left && qxl_pm_gives_up(qdev))
//# add 2 ret = qxl_io_wait(
//# add 1 #include <linux/iopoll.h>
//# have int qxl_io_flush_surfaces(
//# add 2 qxl_ring_push(qdev, qdev->
//# file drivers/gpu/drm/qxl/qxl_drv.h
//# have int qxl_io_flush_surfaces(
//# add 1 int qxl_ring_push(struct qxl_device *qdev

@inc@
@@
 #include <linux/delay.h>
+#include <linux/iopoll.h>

@prototype@
@@
-int qxl_ring_push(struct qxl_ring *ring, const void *new_elt, bool interruptible);
+int qxl_ring_push(struct qxl_device *qdev, struct qxl_ring *ring,
+		  const void *new_elt, bool interruptible);

@flush_prototype@
@@
-void qxl_io_flush_surfaces(struct qxl_device *qdev);
+int qxl_io_flush_surfaces(struct qxl_device *qdev);

@room@
statement S1, S2;
@@
 qxl_ring_push(...)
 {
 	<...
-	if (!drm_can_sleep()) S1 else S2
+	ret = qxl_ring_wait(qdev, ring, interruptible);
+	if (ret)
+		return ret;
 	...>
 }

@stopped@
@@
 qxl_ring_push(...)
 {
 	<...
+	if (READ_ONCE(qdev->pm.stopped)) {
+		spin_unlock_irqrestore(&ring->lock, flags);
+		return -ENODEV;
+	}
+
 	idx = header->prod & (ring->n_elements - 1);
 	...>
 }

@push@
identifier ring, elt, interruptible;
@@
-int qxl_ring_push(struct qxl_ring *ring, const void *elt, bool interruptible)
+int qxl_ring_push(struct qxl_device *qdev, struct qxl_ring *ring,
+		  const void *elt, bool interruptible)
 { ... }

@wait depends on push@
@@
+static bool qxl_ring_ready(struct qxl_device *qdev, struct qxl_ring *ring)
+{
+	return READ_ONCE(qdev->pm.stopped) || qxl_check_header(ring);
+}
+
+/* Returns what wait_event_timeout() does. */
+static long qxl_ring_wait_once(struct qxl_device *qdev, struct qxl_ring *ring, bool intr)
+{
+	long timeout = drm_virt_pm_timeout(&qdev->pm.base);
+
+	if (intr)
+		return wait_event_interruptible_timeout(*ring->push_event,
+							qxl_ring_ready(qdev, ring),
+							timeout);
+
+	return wait_event_timeout(*ring->push_event, qxl_ring_ready(qdev, ring),
+				  timeout);
+}
+
+/* Wait until there is room in a ring. It can be gone when this returns 0. */
+static int qxl_ring_wait(struct qxl_device *qdev, struct qxl_ring *ring, bool intr)
+{
+	long timeout = drm_virt_pm_timeout(&qdev->pm.base);
+	long left = 0;
+	int room;
+
+	if (!drm_can_sleep())
+		return read_poll_timeout_atomic(qxl_check_header, room, room, 1,
+						jiffies_to_usecs(timeout), false,
+						ring);
+
+	while (!left) {
+		left = qxl_ring_wait_once(qdev, ring, intr);
+		if (!left && qxl_pm_gives_up(qdev))
+			return -ETIMEDOUT;
+	}
+	if (READ_ONCE(qdev->pm.stopped))
+		return -ENODEV;
+
+	return left < 0 ? left : 0;
+}
+
 int qxl_ring_push(...) { ... }

@callers@
identifier qdev, ring;
@@
 qxl_ring_push(
+	qdev,
 	qdev->ring, ...)

@io_answer@
statement S1, S2;
@@
 wait_for_io_cmd_user(...)
 {
 	<...
-	if (intr) S1 else S2
+	ret = qxl_io_wait(qdev, irq_num, intr);
 	...>
 }

@io@
identifier qdev;
@@
 wait_for_io_cmd_user(struct qxl_device *qdev, ...)
 {
 	...
-	mutex_lock(&qdev->async_io_mutex);
+	if (!qxl_pm_lock_io(qdev))
+		return -ETIMEDOUT;
+
 	...
-	mutex_unlock(&qdev->async_io_mutex);
+	qxl_pm_unlock_io(qdev);
 	return ...;
 }

@io_wait depends on io@
@@
+static long qxl_io_wait(struct qxl_device *qdev, int answered, bool intr)
+{
+	long timeout = drm_virt_pm_timeout(&qdev->pm.base);
+	atomic_t *count = &qdev->irq_received_io_cmd;
+
+	if (intr)
+		return wait_event_interruptible_timeout(qdev->io_cmd_event,
+							atomic_read(count) > answered,
+							timeout);
+
+	return wait_event_timeout(qdev->io_cmd_event,
+				  atomic_read(count) > answered, timeout);
+}
+
 wait_for_io_cmd_user(...) { ... }

@flush@
identifier q;
@@
-void qxl_io_flush_surfaces(struct qxl_device *q)
+int qxl_io_flush_surfaces(struct qxl_device *q)
 {
-	wait_for_io_cmd(q, 0, QXL_IO_FLUSH_SURFACES_ASYNC);
+	return wait_for_io_cmd_user(q, 0, QXL_IO_FLUSH_SURFACES_ASYNC, false);
 }
