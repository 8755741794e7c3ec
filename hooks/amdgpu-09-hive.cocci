// SPDX-License-Identifier: GPL-2.0-only
// amdgpu: a GPU that is unbound is no node of the topology of its hive any more. The
// others keep it in their lists, of which the first number_devices nodes are set.
//
//# format
//# file drivers/gpu/drm/amd/amdgpu/amdgpu_xgmi.c
//# add 1 static void amdgpu_xgmi_forget_node(
//# add 1 amdgpu_xgmi_forget_node(hive, adev->gmc.xgmi.node_id);
//# add 1 count = atomic_dec_return(&hive->number_devices);
//# gone if (atomic_dec_return(&hive->number_devices) == 0) {

@remove@
identifier adev, hive;
@@
 amdgpu_xgmi_remove_device(struct amdgpu_device *adev)
 {
 	struct amdgpu_hive_info *hive = adev->hive;
+	int count;
 	...
 	list_del(&adev->gmc.xgmi.head);
+	amdgpu_xgmi_forget_node(hive, adev->gmc.xgmi.node_id);
+	count = atomic_dec_return(&hive->number_devices);
 	mutex_unlock(&hive->hive_lock);
 	...
-	if (atomic_dec_return(&hive->number_devices) == 0)
+	if (!count)
 	{ ... }
 	...
 }

@helper depends on remove@
typedef u64;
iterator name list_for_each_entry;
@@
+/* The next reset of the others sets a topology without it. */
+static void amdgpu_xgmi_forget_node(struct amdgpu_hive_info *hive, u64 node_id)
+{
+	struct psp_xgmi_topology_info *top;
+	struct amdgpu_device *adev;
+	unsigned int i;
+
+	list_for_each_entry(adev, &hive->device_list, gmc.xgmi.head) {
+		top = &adev->psp.xgmi_context.top_info;
+		i = 0;
+		while (i < top->num_nodes && top->nodes[i].node_id != node_id)
+			i++;
+		if (i == top->num_nodes)
+			continue;
+		top->num_nodes--;
+		memmove(&top->nodes[i], &top->nodes[i + 1],
+			(top->num_nodes - i) * sizeof(top->nodes[0]));
+	}
+}
+
 int amdgpu_xgmi_remove_device(...) { ... }
