// SPDX-License-Identifier: GPL-2.0-only
/* What happens to the memory of a region: touched, unmapped, moved. */
#include <linux/mm.h>
#include <linux/minmax.h>
#include <linux/pagemap.h>
#include <linux/sched.h>

#include "region.h"

/* Can the PMD of this fault map the 2 MiB folio that the page is in? */
static bool fits_pmd(struct vm_fault *vmf, struct folio *folio)
{
	unsigned long start = vmf->address & PMD_MASK;

	return IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) &&
	       folio_nr_pages(folio) == PMD_SIZE / PAGE_SIZE &&
	       /* No lock yet: who maps looks again under it. */
	       pmd_none(READ_ONCE(*vmf->pmd)) &&
	       start >= vmf->vma->vm_start && start + PMD_SIZE <= vmf->vma->vm_end &&
	       vmf->pgoff - folio->index == (vmf->address - start) >> PAGE_SHIFT;
}

/*
 * Map all of a large folio that this VMA and this page table can map. The
 * folio is not locked: that is the business of filemap_map_pages().
 */
static vm_fault_t map_folio(struct vm_fault *vmf, struct folio *folio)
{
	unsigned long lowest = max(vmf->vma->vm_start, vmf->address & PMD_MASK);
	unsigned long highest = min(vmf->vma->vm_end - 1, vmf->address | ~PMD_MASK);
	pgoff_t below = (vmf->address - lowest) >> PAGE_SHIFT;
	pgoff_t above = (highest - vmf->address) >> PAGE_SHIFT;
	pgoff_t first = folio->index;
	pgoff_t last = first + folio_nr_pages(folio) - 1;

	if (vmf->pgoff - first > below)
		first = vmf->pgoff - below;
	if (last - vmf->pgoff > above)
		last = vmf->pgoff + above;
	return filemap_map_pages(vmf, first, last);
}

/* Populate failed: what does the program see? */
static vm_fault_t fault_error(struct privheap_region *region, int error)
{
	/*
	 * Where its own memory cgroup is at its limit, that cgroup's rule
	 * decides: the kernel kills somebody, or retries. A fault on behalf of
	 * another cgroup would retry for ever when nobody there is to be killed.
	 */
	if (error == -ENOMEM && privheap_memcg_is_current(region))
		return VM_FAULT_OOM;
	return VM_FAULT_SIGBUS;
}

static vm_fault_t privheap_fault(struct vm_fault *vmf)
{
	struct privheap_region *region = privheap_vma_region(vmf->vma);
	struct address_space *mapping = region->inode.i_mapping;
	unsigned long first, last;
	struct folio *folio;
	vm_fault_t ret;

	/* A child made after MADV_DOFORK has the mapping, but not the region. */
	if (vmf->vma->vm_mm != region->process->mm)
		return VM_FAULT_SIGSEGV;

	filemap_invalidate_lock_shared(mapping);
	if (!privheap_extents_find(&region->extents, vmf->pgoff, &first, &last)) {
		ret = VM_FAULT_SIGSEGV;
		goto unlock;
	}

	for (;;) {
		/* A core dump must not take memory for what was never touched. */
		if (current->flags & PF_DUMPCORE)
			folio = ERR_PTR(-EEXIST);
		else
			folio = privheap_populate_fault(region, vmf->pgoff, first, last);
		if (!IS_ERR(folio)) {
			privheap_count_fault(&region->account);
			break;
		}
		if (PTR_ERR(folio) != -EEXIST) {
			ret = fault_error(region, PTR_ERR(folio));
			goto unlock;
		}

		folio = filemap_lock_folio(mapping, vmf->pgoff);
		if (!IS_ERR_OR_NULL(folio))
			break;
		if (current->flags & PF_DUMPCORE) {
			ret = VM_FAULT_SIGBUS;
			goto unlock;
		}
	}

	/* Here was a page that the hardware lost, see poison.c. */
	if (!folio_test_uptodate(folio)) {
		folio_unlock(folio);
		folio_put(folio);
		ret = VM_FAULT_HWPOISON;
		goto unlock;
	}
	if (folio_test_large(folio) && !fits_pmd(vmf, folio)) {
		folio_unlock(folio);
		ret = map_folio(vmf, folio);
		if (ret) {
			folio_put(folio);
			goto unlock;
		}
		/* Somebody holds its lock, or a page is poisoned: just the one. */
		folio_lock(folio);
		if (folio->mapping != mapping || !folio_contains(folio, vmf->pgoff)) {
			folio_unlock(folio);
			folio_put(folio);
			ret = VM_FAULT_NOPAGE;
			goto unlock;
		}
	}
	vmf->page = folio_file_page(folio, vmf->pgoff);
	ret = VM_FAULT_LOCKED;
unlock:
	filemap_invalidate_unlock_shared(mapping);
	return ret;
}

/*
 * Map what is in the page cache around a read fault. The kernel also takes
 * faults under the per-VMA lock only for those who have this.
 */
static vm_fault_t privheap_map_pages(struct vm_fault *vmf, pgoff_t start, pgoff_t end)
{
	struct privheap_region *region = privheap_vma_region(vmf->vma);
	unsigned long first, last;

	if (vmf->vma->vm_mm != region->process->mm ||
	    !privheap_extents_find(&region->extents, vmf->pgoff, &first, &last))
		return 0;
	/* Beyond the commit may be pages of a populate that is under way. */
	return filemap_map_pages(vmf, max(start, first), min(end, last));
}

/*
 * A part of the mapping goes. When it is the last, the file goes next and takes
 * everything along; else nobody can reach these pages any more.
 */
static void privheap_close(struct vm_area_struct *vma)
{
	struct privheap_region *region = privheap_vma_region(vma);
	struct privheap_process *process = region->process;
	unsigned long committed, left;

	/* A child's, or the copy that mremap(2) made and was not allowed to keep. */
	if (vma->vm_mm != process->mm ||
	    vma->vm_start != region->base + (vma->vm_pgoff << PAGE_SHIFT))
		return;

	spin_lock(&process->lock);
	if (vma->vm_start == region->base) {
		region->base_unmapped = true;
		if (!RB_EMPTY_NODE(&region->node)) {
			rb_erase(&region->node, &process->regions);
			RB_CLEAR_NODE(&region->node);
		}
	}
	region->mapped -= vma_pages(vma);
	left = region->mapped;
	spin_unlock(&process->lock);

	/* Nobody can be told of a failure, and nobody could try again. */
	if (left)
		privheap_decommit(region, vma->vm_pgoff,
				  vma->vm_pgoff + vma_pages(vma) - 1,
				  GFP_KERNEL_ACCOUNT | __GFP_NOFAIL, &committed);
}

/* Called after mremap(2) has moved it; on failure it moves everything back. */
static int privheap_mremap(struct vm_area_struct *vma)
{
	return -EINVAL;
}

const struct vm_operations_struct privheap_vm_ops = {
	.fault		= privheap_fault,
	.map_pages	= privheap_map_pages,
	.close		= privheap_close,
	.mremap		= privheap_mremap,
};
