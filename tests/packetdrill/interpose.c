// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * packetdrill's %{ assertions }% call the C library's getsockopt() and not the
 * interface's. So the program that has loaded us gets another one: the places
 * where its linker has put the function's address are found, as the linker found
 * them, by its relocations.
 */
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "drill.h"

struct search {
	const char *name;
	uintptr_t to;
	int places;
};

#if __SIZEOF_POINTER__ == 8
#define SYMBOL_OF ELF64_R_SYM
#else
#define SYMBOL_OF ELF32_R_SYM
#endif

static void write_pointer(uintptr_t place, uintptr_t value)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	/* it is read-only where everything was bound at the start */
	if (!mprotect((void *)(place & -page), page, PROT_READ | PROT_WRITE))
		*(uintptr_t *)place = value;
}

static void look_through(struct search *s, uintptr_t base, const ElfW(Rela) * rela, size_t size,
			 const ElfW(Sym) * symbols, const char *strings)
{
	for (size_t i = 0; rela && i < size / sizeof(*rela); i++) {
		size_t symbol = SYMBOL_OF(rela[i].r_info);

		if (!symbol || strcmp(strings + symbols[symbol].st_name, s->name))
			continue;
		write_pointer(base + rela[i].r_offset, s->to);
		s->places++;
	}
}

/* The program itself comes first. */
static int visit(struct dl_phdr_info *info, size_t size, void *user)
{
	const ElfW(Rela) *rela = NULL, *calls = NULL;
	size_t rela_size = 0, calls_size = 0;
	const ElfW(Sym) *symbols = NULL;
	const char *strings = NULL;
	const ElfW(Dyn) *dyn = NULL;

	for (int i = 0; i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			dyn = (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	}
	for (; dyn && dyn->d_tag != DT_NULL; dyn++) {
		const void *at = (const void *)dyn->d_un.d_ptr;

		switch (dyn->d_tag) {
		case DT_SYMTAB:
			symbols = at;
			break;
		case DT_STRTAB:
			strings = at;
			break;
		case DT_RELA:
			rela = at;
			break;
		case DT_RELASZ:
			rela_size = dyn->d_un.d_val;
			break;
		case DT_JMPREL:
			calls = at;
			break;
		case DT_PLTRELSZ:
			calls_size = dyn->d_un.d_val;
			break;
		}
	}
	if (symbols && strings) {
		look_through(user, info->dlpi_addr, rela, rela_size, symbols, strings);
		look_through(user, info->dlpi_addr, calls, calls_size, symbols, strings);
	}
	return 1;
}

int interpose(const char *name, void *function)
{
	struct search s = { .name = name, .to = (uintptr_t)function };

	dl_iterate_phdr(visit, &s);
	return s.places;
}
