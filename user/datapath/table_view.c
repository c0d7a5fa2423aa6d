/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/table_view.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "datapath/tables.h"

static int open_pages(const struct table *table, int protection, uint32_t first, size_t size,
		      struct table_view *ret)
{
	size_t from = (size_t)first * table->size;
	size_t before = from % (size_t)sysconf(_SC_PAGESIZE);
	void *pages;

	*ret = (struct table_view){};
	if (!size)
		return 0;
	pages = mmap(NULL, before + size, protection, MAP_SHARED, table->fd,
		     (off_t)(from - before));
	if (pages == MAP_FAILED)
		return -errno;
	*ret = (struct table_view){(char *)pages + before, pages, before + size};
	return 0;
}

int table_view_open(const struct table *table, uint32_t first, size_t size, struct table_view *ret)
{
	return open_pages(table, PROT_READ, first, size, ret);
}

int table_view_share(const struct table *table, uint32_t first, size_t size, struct table_view *ret)
{
	return open_pages(table, PROT_READ | PROT_WRITE, first, size, ret);
}

void table_view_close(struct table_view *view)
{
	if (view->pages)
		munmap(view->pages, view->size);
	*view = (struct table_view){};
}
