/* SPDX-License-Identifier: MIT */
/*
 * <intsafe.h>: arithmetic that tells when a result does not fit, for sizes of
 * blocks. A function that fails stores the type's highest value.
 */
#ifndef PRIVHEAP_WIN32_INTSAFE_H
#define PRIVHEAP_WIN32_INTSAFE_H

#include "winerror.h"

#define INTSAFE_E_ARITHMETIC_OVERFLOW	((HRESULT)0x80070216)

#define SIZET_ERROR	(~(SIZE_T)0)
#define DWORD_ERROR	(~(DWORD)0)

static inline HRESULT SIZETAdd(SIZE_T Augend, SIZE_T Addend, SIZE_T *pResult)
{
	if (!__builtin_add_overflow(Augend, Addend, pResult))
		return S_OK;
	*pResult = SIZET_ERROR;
	return INTSAFE_E_ARITHMETIC_OVERFLOW;
}

static inline HRESULT SIZETSub(SIZE_T Minuend, SIZE_T Subtrahend,
			       SIZE_T *pResult)
{
	if (!__builtin_sub_overflow(Minuend, Subtrahend, pResult))
		return S_OK;
	*pResult = SIZET_ERROR;
	return INTSAFE_E_ARITHMETIC_OVERFLOW;
}

static inline HRESULT SIZETMult(SIZE_T Multiplicand, SIZE_T Multiplier,
				SIZE_T *pResult)
{
	if (!__builtin_mul_overflow(Multiplicand, Multiplier, pResult))
		return S_OK;
	*pResult = SIZET_ERROR;
	return INTSAFE_E_ARITHMETIC_OVERFLOW;
}

static inline HRESULT DWordAdd(DWORD Augend, DWORD Addend, DWORD *pResult)
{
	if (!__builtin_add_overflow(Augend, Addend, pResult))
		return S_OK;
	*pResult = DWORD_ERROR;
	return INTSAFE_E_ARITHMETIC_OVERFLOW;
}

static inline HRESULT DWordSub(DWORD Minuend, DWORD Subtrahend, DWORD *pResult)
{
	if (!__builtin_sub_overflow(Minuend, Subtrahend, pResult))
		return S_OK;
	*pResult = DWORD_ERROR;
	return INTSAFE_E_ARITHMETIC_OVERFLOW;
}

static inline HRESULT DWordMult(DWORD Multiplicand, DWORD Multiplier,
				DWORD *pResult)
{
	if (!__builtin_mul_overflow(Multiplicand, Multiplier, pResult))
		return S_OK;
	*pResult = DWORD_ERROR;
	return INTSAFE_E_ARITHMETIC_OVERFLOW;
}

static inline HRESULT SIZETToDWord(SIZE_T Operand, DWORD *pResult)
{
	*pResult = (DWORD)Operand;
	if (*pResult == Operand)
		return S_OK;
	*pResult = DWORD_ERROR;
	return INTSAFE_E_ARITHMETIC_OVERFLOW;
}

/* Both spellings are in use. */
#define SizeTAdd	SIZETAdd
#define SizeTSub	SIZETSub
#define SizeTMult	SIZETMult
#define SizeTToDWord	SIZETToDWord

#endif /* PRIVHEAP_WIN32_INTSAFE_H */
