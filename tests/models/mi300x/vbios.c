// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VBIOS image with nothing in it but what the driver asks for: the headers,
 * an asic_init that ends at once, and the firmware info.
 */
#include <string.h>

#include "mi300x.h"
#include "kernel.h"
#include "atomfirmware.h"

/* Places in the image; those of the headers are fixed, the others ours */
#define ROM_LENGTH	0x02
#define ROM_ENTRY	0x03
#define CHECKSUM	0x21
#define PCI_DATA_PTR	0x18
#define ATI_MAGIC	0x30
#define HEADER_PTR	0x48
#define DATE		0x50
#define NAME		0x80
#define PCI_DATA	0x240
#define ROM_HEADER	0x300
#define COMMANDS	0x400
#define DATA_TABLES	0x500
#define FIRMWARE_INFO	0x600
#define ASIC_INIT	0x700
#define VRAM_USAGE	0x800

#define VF_RESERVED_KB	2048	/* what the host shares with a VF is in there */
/* ATOM_VRAM_BLOCK_SRIOV_MSG_SHARE_RESERVATION of atombios.h, in its place */
#define SHARED_WITH_HOST	(2u << 30)

#define X86_RETF	0xcb
#define ATOM_OP_EOT	91	/* of amdgpu/atom.h, which drags in half of the kernel */

static void *table(uint8_t *rom, uint32_t at, size_t size, uint8_t format, uint8_t content)
{
	struct atom_common_table_header *header = (void *)(rom + at);

	header->structuresize = size;
	header->format_revision = format;
	header->content_revision = content;
	return header;
}

static void put16(uint8_t *rom, uint32_t at, uint16_t value)
{
	memcpy(rom + at, &value, sizeof(value));
}

static void write_pci(uint8_t *rom, size_t size)
{
	put16(rom, 0, 0xaa55);
	rom[ROM_LENGTH] = size / 512;
	rom[ROM_ENTRY] = X86_RETF;	/* SeaBIOS runs it */
	put16(rom, PCI_DATA_PTR, PCI_DATA);
	memcpy(rom + PCI_DATA, "PCIR", 4);
	put16(rom, PCI_DATA + 4, 0x1002);
	put16(rom, PCI_DATA + 6, 0x74a1);
	put16(rom, PCI_DATA + 10, 0x18);
	rom[PCI_DATA + 12] = 3;
	put16(rom, PCI_DATA + 16, size / 512);
	rom[PCI_DATA + 21] = 0x80;	/* the last image */
}

/* The host's part of VRAM begins at 0, where this image is as well */
static void write_vram_usage(uint8_t *rom)
{
	struct vram_usagebyfirmware_v2_1 *usage;

	usage = table(rom, VRAM_USAGE, sizeof(*usage), 2, 1);
	usage->start_address_in_kb = SHARED_WITH_HOST;
	usage->used_by_firmware_in_kb = VF_RESERVED_KB;
}

static void write_atom(uint8_t *rom, bool vf)
{
	struct atom_master_command_function_v2_1 *commands;
	struct atom_master_data_table_v2_1 *data;
	struct atom_rom_hw_function_header *init;
	struct atom_firmware_info_v3_1 *info;
	struct atom_rom_header_v2_2 *header;

	memcpy(rom + ATI_MAGIC, " 761295520", 10);
	put16(rom, HEADER_PTR, ROM_HEADER);
	memcpy(rom + DATE, "01/01/26 00:00", 15);
	memcpy(rom + NAME, "113-MODEL-001", 14);

	header = table(rom, ROM_HEADER, sizeof(*header), 2, 2);
	memcpy(header->atom_bios_string, "ATOM", 4);
	header->masterhwfunction_offset = COMMANDS;
	header->masterdatatable_offset = DATA_TABLES;
	commands = table(rom, COMMANDS, sizeof(*commands), 2, 1);
	commands->listofcmdfunctions.asic_init = ASIC_INIT;
	init = table(rom, ASIC_INIT, sizeof(*init) + 1, 2, 1);
	rom[ASIC_INIT + sizeof(*init)] = ATOM_OP_EOT;
	data = table(rom, DATA_TABLES, sizeof(*data), 2, 1);
	data->listOfdatatables.firmwareinfo = FIRMWARE_INFO;
	info = table(rom, FIRMWARE_INFO, sizeof(*info), 3, 1);
	info->firmware_revision = 1;
	info->bootup_sclk_in10khz = 100000;
	info->bootup_mclk_in10khz = 100000;
	info->bios_scratch_reg_startaddr = 0x4c;
	if (!vf)
		return;
	info->firmware_capability = ATOM_FIRMWARE_CAP_GPU_VIRTUALIZATION;
	data->listOfdatatables.vram_usagebyfirmware = VRAM_USAGE;
	write_vram_usage(rom);
}

void vbios_write(uint8_t *rom, size_t size, bool vf)
{
	uint8_t sum = 0;

	memset(rom, 0, size);
	write_pci(rom, size);
	write_atom(rom, vf);
	for (size_t i = 0; i < size; i++)
		sum += rom[i];
	rom[CHECKSUM] -= sum;
}
