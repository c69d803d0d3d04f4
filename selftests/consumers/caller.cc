// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program in C++: a container of the standard library in a heap of its own, and
 * exceptions that pass through the library. Ends with 1 when something is wrong.
 */
#include <cstdio>
#include <new>
#include <vector>

#include <privheap/heapapi.h>

namespace {

class Heap {
public:
	explicit Heap(SIZE_T maximum)
		: handle_(HeapCreate(HEAP_GENERATE_EXCEPTIONS, 0, maximum))
	{
		if (!handle_)
			throw std::bad_alloc();
	}
	~Heap() { HeapDestroy(handle_); }
	Heap(const Heap &) = delete;
	Heap &operator=(const Heap &) = delete;
	HANDLE handle() const { return handle_; }

private:
	HANDLE handle_;
};

template<typename T> struct In {
	using value_type = T;

	explicit In(const Heap &heap) : handle(heap.handle()) {}
	template<typename U> In(const In<U> &other) : handle(other.handle) {}
	T *allocate(std::size_t n)
	{
		return static_cast<T *>(HeapAlloc(handle, 0, n * sizeof(T)));
	}
	void deallocate(T *block, std::size_t) { HeapFree(handle, 0, block); }
	template<typename U> bool operator==(const In<U> &other) const
	{
		return handle == other.handle;
	}
	template<typename U> bool operator!=(const In<U> &other) const
	{
		return handle != other.handle;
	}

	HANDLE handle;
};

void raise(DWORD code, HANDLE, SIZE_T)
{
	if (code == STATUS_NO_MEMORY)
		throw std::bad_alloc();
}

} // namespace

int main()
{
	bool caught = false;
	std::size_t reached;
	PRIVHEAP_USAGE usage = PRIVHEAP_USAGE();

	PrivheapSetExceptionHandler(raise);
	Heap heap(1 << 20);
	std::vector<int, In<int>> numbers{In<int>(heap)};
	try {
		for (int i = 0; ; i++)
			numbers.push_back(i);
	} catch (const std::bad_alloc &) {
		caught = true;
	}
	reached = numbers.size();
	usage.cb = sizeof(usage);
	if (!PrivheapQueryHeap(heap.handle(), &usage))
		return 1;

	bool good = caught && reached > 10000 && reached * sizeof(int) < 1 << 20 &&
		    usage.cBlocks == 1 && usage.cbCommitted <= 1 << 20 &&
		    numbers[reached - 1] == static_cast<int>(reached) - 1;
	std::printf("C++ %ld, back end %u, %zu numbers: %s\n", __cplusplus,
		    static_cast<unsigned int>(PrivheapGetBackend()), reached,
		    good ? "fine" : "FAILED");
	return !good;
}
