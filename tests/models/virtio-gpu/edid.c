// SPDX-License-Identifier: GPL-2.0-only
/* The monitor of an output: one mode, of the output's size. VESA E-EDID 1.4. */

#include <string.h>

#include "gpu.h"

#define H_BLANK		160
#define H_OFFSET	48
#define H_SYNC		32
#define V_BLANK		30
#define V_OFFSET	3
#define V_SYNC		6
#define REFRESH		60

static void timing(uint8_t *at, unsigned int width, unsigned int height)
{
	unsigned int clock = (width + H_BLANK) * (height + V_BLANK) * REFRESH / 10000;

	at[0] = clock;
	at[1] = clock >> 8;
	at[2] = width;
	at[3] = H_BLANK;
	at[4] = (width >> 8) << 4;
	at[5] = height;
	at[6] = V_BLANK;
	at[7] = (height >> 8) << 4;
	at[8] = H_OFFSET;
	at[9] = H_SYNC;
	at[10] = V_OFFSET << 4 | V_SYNC;
	at[17] = 0x18;			/* digital, separate syncs */
}

void gpu_edid(unsigned int output, uint8_t *edid)
{
	static const uint8_t magic[] = { 0, 255, 255, 255, 255, 255, 255, 0 };
	unsigned int i;
	uint8_t sum = 0;

	memset(edid, 0, 128);
	memcpy(edid, magic, sizeof(magic));
	edid[8] = 0x49;			/* RHT */
	edid[9] = 0x14;
	edid[10] = output + 1;
	edid[12] = output + 1;
	edid[17] = 36;			/* 2026 */
	edid[18] = 1;
	edid[19] = 4;
	edid[20] = 0xa5;		/* digital, 8 bits */
	edid[21] = 40;
	edid[22] = 30;
	edid[23] = 120;
	edid[24] = 0x06;		/* sRGB, the first timing is the native one */
	for (i = 38; i < 54; i++)
		edid[i] = 1;		/* no standard timings */
	timing(edid + 54, gpu_options.output[output].width,
	       gpu_options.output[output].height);
	for (i = 72; i < 126; i += 18)
		edid[i + 3] = 0x10;	/* dummies */
	for (i = 0; i < 127; i++)
		sum += edid[i];
	edid[127] = -sum;
}
