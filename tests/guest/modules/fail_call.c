// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lets the n-th call of a function of the kernel return an error at once.
 *
 * The function must be one that ftrace knows, and return an int.
 */
#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/string.h>

static char *function = "";
module_param(function, charp, 0444);
MODULE_PARM_DESC(function, "which function");

static int nth = 1;
module_param(nth, int, 0444);
MODULE_PARM_DESC(nth, "which call fails, counted from 1");

static atomic_t calls = ATOMIC_INIT(0);

/* What is called in its place */
static noinline int fail_call_instead(void)
{
	return -ENOMEM;
}

static void notrace fail_call_entry(unsigned long ip, unsigned long parent_ip,
				    struct ftrace_ops *ops,
				    struct ftrace_regs *fregs)
{
	if (atomic_inc_return(&calls) == nth)
		ftrace_regs_set_instruction_pointer(fregs,
						    (unsigned long)fail_call_instead);
}

static struct ftrace_ops fail_call_ops = {
	.func = fail_call_entry,
	.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY,
};

static int __init fail_call_init(void)
{
	int ret;

	ret = ftrace_set_filter(&fail_call_ops, function, strlen(function), 1);
	if (ret)
		return ret;

	ret = register_ftrace_function(&fail_call_ops);
	if (ret)
		ftrace_free_filter(&fail_call_ops);

	return ret;
}
module_init(fail_call_init);

static void __exit fail_call_exit(void)
{
	unregister_ftrace_function(&fail_call_ops);
	ftrace_free_filter(&fail_call_ops);
	pr_info("fail_call: %d calls of %s\n", atomic_read(&calls), function);
}
module_exit(fail_call_exit);

MODULE_DESCRIPTION("Lets a call of a function fail");
MODULE_LICENSE("GPL");
