/* SPDX-License-Identifier: GPL-2.0-or-later
 * Instructions of each map and form have the length that they have, what they do to rax and to control is told, and not
 * a byte is read past the end. */
#include <errno.h>
#include <string.h>

#include "check.h"
#include "fast/scan/decode.h"

#define CODE(bytes) (const uint8_t *)(bytes), sizeof(bytes) - 1

/* From memory that ends where the code ends, so that a sanitizer sees what is read past it. */
static int decode_exact(const uint8_t *code, size_t size, struct instruction *out)
{
	uint8_t *copy = malloc(size);
	int length;

	CHECK(size == 0 || copy);
	if (size > 0)
		memcpy(copy, code, size);
	length = decode(copy, size, out);
	free(copy);
	return length;
}

/* What is exactly one instruction; none of its beginnings is one, unless it has prefixes alone. */
static struct instruction whole(const uint8_t *code, size_t size)
{
	struct instruction out;
	uint8_t longer[32];

	for (size_t cut = 0; cut < size; cut++)
		CHECK(decode_exact(code, cut, &out) == -EILSEQ);
	memset(longer, 0x90, sizeof(longer));
	memcpy(longer, code, size);
	CHECK(decode(longer, sizeof(longer), &out) == (int)size);
	CHECK(decode_exact(code, size, &out) == (int)size && out.length == size);
	return out;
}

static void refuse(const uint8_t *code, size_t size)
{
	struct instruction out;

	for (size_t cut = 0; cut <= size; cut++)
		CHECK(decode_exact(code, cut, &out) == -EILSEQ);
}

static void test_lengths(void)
{
	whole(CODE("\x90"));
	whole(CODE("\x01\xd8"));				     /* add eax, ebx */
	whole(CODE("\x48\x8b\x04\x25\x00\x10\x00\x00"));	     /* mov rax, [0x1000]: SIB without a base */
	whole(CODE("\x8b\x44\x24\x08"));			     /* SIB and disp8 */
	whole(CODE("\x8b\x84\x24\x88\x00\x00\x00"));		     /* SIB and disp32 */
	whole(CODE("\x8b\x05\x50\xea\x1a\x00"));		     /* of rip */
	whole(CODE("\x66\x81\xc3\x34\x12"));			     /* add bx, imm16 */
	whole(CODE("\x66\x48\x81\xc3\x34\x12\x00\x00"));	     /* REX.W before 66 */
	whole(CODE("\x48\x66\x05\x34\x12"));			     /* REX not right before the opcode: none */
	whole(CODE("\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08"));     /* mov rax, imm64 */
	whole(CODE("\x66\xb8\x01\x02"));			     /* mov ax, imm16 */
	whole(CODE("\xa1\x01\x02\x03\x04\x05\x06\x07\x08"));	     /* mov eax, [moffs64] */
	whole(CODE("\x67\xa1\x01\x02\x03\x04"));		     /* and of 32 bits */
	whole(CODE("\xf6\x00\x01"));				     /* test byte [rax], 1 */
	whole(CODE("\xf6\x18"));				     /* neg byte [rax] */
	whole(CODE("\xf7\xc1\x01\x02\x03\x04"));		     /* test ecx, imm32 */
	whole(CODE("\x66\xf7\xc1\x01\x02"));			     /* test cx, imm16 */
	whole(CODE("\xc8\x10\x00\x01"));			     /* enter */
	whole(CODE("\xc2\x08\x00"));				     /* ret 8 */
	whole(CODE("\x8f\x00"));				     /* pop [rax], no XOP */
	whole(CODE("\x0f\x20\x04"));				     /* mov from cr0: never memory, so no SIB */
	whole(CODE("\x0f\xa4\xc3\x05"));			     /* shld */
	whole(CODE("\x66\x0f\x38\x00\xc1"));			     /* pshufb: 0F38 */
	whole(CODE("\x66\x0f\x3a\x0f\xc1\x08"));		     /* palignr: 0F3A */
	whole(CODE("\xc5\xf8\x77"));				     /* vzeroupper */
	whole(CODE("\xc5\xfd\x6f\x07"));			     /* vmovdqa, VEX of 2 bytes */
	whole(CODE("\xc5\xf9\x70\xc1\x1b"));			     /* vpshufd: imm8 */
	whole(CODE("\xc4\xe2\x7d\x18\x07"));			     /* vbroadcastss, VEX of 3 bytes */
	whole(CODE("\xc4\xe3\x7d\x39\xc1\x01"));		     /* vextracti128 */
	whole(CODE("\x62\xf1\xfe\x48\x6f\x46\x01"));		     /* vmovdqu64 zmm, [rsi+64], EVEX */
	whole(CODE("\x62\xa1\xfd\x48\x7b\xca"));		     /* vcvtpd2qq: an opcode that only EVEX has */
	whole(CODE("\x62\xf3\x7d\x48\x3e\x07\x01"));		     /* vpcmpub: EVEX, imm8 */
	whole(CODE("\x8f\xe8\x78\xc0\xc1\x05"));		     /* vprotb, XOP 8: imm8 */
	whole(CODE("\x8f\xe9\x78\x01\xc9"));			     /* blcfill, XOP 9 */
	whole(CODE("\x8f\xea\x78\x10\xc1\x01\x02\x03\x04"));	     /* bextr, XOP A: imm32 */
	whole(CODE("\x66\x66\x2e\x0f\x1f\x84\x00\x00\x00\x00\x00")); /* nop of gas */
	whole(CODE("\xf0\x48\x0f\xb1\x0f"));			     /* lock cmpxchg */
	whole(CODE("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90")); /* the longest one */
}

static void test_refused(void)
{
	refuse(CODE("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90")); /* 16 bytes */
	refuse(CODE("\x06"));
	refuse(CODE("\x0f\x04"));
	refuse(CODE("\x0f\x0f\xc1\x9e"));	  /* 3DNow! */
	refuse(CODE("\x8d\xc0"));		  /* lea without memory */
	refuse(CODE("\xff\xff"));		  /* no such operation */
	refuse(CODE("\x66\xe9\x00\x00\x00\x00")); /* Intel and AMD differ */
	refuse(CODE("\x48\xc5\xf8\x77"));	  /* REX before VEX */
	refuse(CODE("\xc4\xe0\x7d\x18\x07"));	  /* no such map */
	refuse(CODE("\x62\xf9\xfe\x48\x6f\x46\x01"));
	refuse(CODE("\xc5\xf8\x05")); /* syscall has no VEX */
	refuse(CODE("\x48\x48"));
}

static void test_control(void)
{
	struct instruction out = whole(CODE("\xeb\xf8"));

	CHECK(out.branch && out.ends && out.displacement == -8);
	out = whole(CODE("\xe9\x00\x01\x00\x00"));
	CHECK(out.branch && out.ends && out.displacement == 256);
	out = whole(CODE("\xe8\xff\xff\xff\xff"));
	CHECK(out.branch && !out.ends && out.displacement == -1 && !out.keeps_number);
	out = whole(CODE("\x0f\x87\xed\x00\x00\x00"));
	CHECK(out.branch && !out.ends && out.displacement == 0xed && out.keeps_number);
	out = whole(CODE("\xe3\x02")); /* jrcxz */
	CHECK(out.branch && !out.ends);
	out = whole(CODE("\xc7\xf8\x10\x00\x00\x00")); /* xbegin: an abort sets eax */
	CHECK(out.branch && out.displacement == 16 && !out.keeps_number);
	out = whole(CODE("\xc6\xf8\x10")); /* xabort */
	CHECK(!out.branch);
	CHECK(whole(CODE("\xc3")).ends && whole(CODE("\xf3\xc3")).ends && whole(CODE("\x0f\x0b")).ends);
	CHECK(whole(CODE("\xf4")).ends && whole(CODE("\xcc")).ends);
	CHECK(whole(CODE("\xff\xe0")).ends && whole(CODE("\xff\x25\x01\x02\x03\x04")).ends); /* jmp */
	CHECK(!whole(CODE("\xff\xd0")).ends && !whole(CODE("\xff\xd0")).keeps_number);	     /* call rax */
}

static void test_calls(void)
{
	struct instruction out = whole(CODE("\x0f\x05"));

	CHECK(out.system_call && !out.foreign_call && !out.keeps_number && !out.ends && !out.branch);
	out = whole(CODE("\xcd\x80"));
	CHECK(!out.system_call && out.foreign_call && !out.keeps_number);
	CHECK(whole(CODE("\x0f\x34")).foreign_call);
	CHECK(!whole(CODE("\xcd\x2e")).foreign_call);
}

static bool sets(const uint8_t *code, size_t size, uint32_t number)
{
	struct instruction out = whole(code, size);

	CHECK(!out.sets_number || !out.keeps_number);
	return out.sets_number && out.number == number;
}

static void test_number_set(void)
{
	CHECK(sets(CODE("\xb8\x3e\x01\x00\x00"), 318));
	CHECK(sets(CODE("\x40\xb8\x3e\x01\x00\x00"), 318));
	CHECK(sets(CODE("\x48\xc7\xc0\x0f\x00\x00\x00"), 15));
	CHECK(sets(CODE("\xc7\xc0\xff\xff\xff\xff"), UINT32_MAX));
	CHECK(sets(CODE("\x31\xc0"), 0) && sets(CODE("\x33\xc0"), 0) && sets(CODE("\x48\x31\xc0"), 0));
	CHECK(!whole(CODE("\x41\xb8\x3e\x01\x00\x00")).sets_number); /* r8d */
	CHECK(!whole(CODE("\xb9\x3e\x01\x00\x00")).sets_number);     /* ecx */
	CHECK(!whole(CODE("\x66\xb8\x3e\x01")).sets_number);	     /* ax */
	CHECK(!whole(CODE("\x45\x31\xc0")).sets_number);	     /* r8d */
	CHECK(!whole(CODE("\x44\x31\xc0")).sets_number);	     /* eax, but by r8d */
	CHECK(!whole(CODE("\xc7\x00\x01\x00\x00\x00")).sets_number); /* memory */
	CHECK(!whole(CODE("\x31\xc9")).sets_number && !whole(CODE("\x66\x31\xc0")).sets_number);
}

static bool keeps(const uint8_t *code, size_t size)
{
	return whole(code, size).keeps_number;
}

static void test_number_kept(void)
{
	CHECK(keeps(CODE("\x48\x89\xfe")));					   /* mov rsi, rdi */
	CHECK(keeps(CODE("\x48\x89\xc5")));					   /* mov rbp, rax */
	CHECK(keeps(CODE("\x49\x89\xc0")));					   /* mov r8, rax */
	CHECK(keeps(CODE("\x4c\x8b\x00")));					   /* mov r8, [rax] */
	CHECK(keeps(CODE("\x89\x00")));						   /* mov [rax], eax */
	CHECK(keeps(CODE("\x41\xba\x08\x00\x00\x00")));				   /* mov r10d, 8 */
	CHECK(keeps(CODE("\x31\xff")) && keeps(CODE("\x45\x31\xc0")));		   /* xor edi, edi; xor r8d, r8d */
	CHECK(keeps(CODE("\x48\x8d\x54\x24\x08")));				   /* lea rdx, [rsp+8] */
	CHECK(keeps(CODE("\x48\x63\xff")) && keeps(CODE("\x0f\xb6\xc9")));	   /* movslq, movzx */
	CHECK(keeps(CODE("\x48\x83\xec\x08")) && keeps(CODE("\x48\x83\xf8\xff"))); /* sub rsp; cmp rax */
	CHECK(keeps(CODE("\x48\x3d\x00\xf0\xff\xff")) && keeps(CODE("\x85\xc0"))); /* cmp, test */
	CHECK(keeps(CODE("\x90")) && keeps(CODE("\xf3\x90")) && keeps(CODE("\xf3\x0f\x1e\xfa")));
	CHECK(keeps(CODE("\x53")) && keeps(CODE("\x41\x58")) && keeps(CODE("\x5b"))); /* push rbx; pop r8, rbx */
	CHECK(keeps(CODE("\x80\x3d\x01\x02\x03\x04\x00")));			      /* cmp byte [rip+...], 0 */
	CHECK(keeps(CODE("\x0f\x29\x44\x24\x10")));				      /* movaps [rsp+16], xmm0 */
}

static void test_number_lost(void)
{
	CHECK(!keeps(CODE("\x58")));					     /* pop rax */
	CHECK(!keeps(CODE("\x49\x90")));				     /* xchg r8, rax */
	CHECK(!keeps(CODE("\x91")));					     /* xchg ecx, eax */
	CHECK(!keeps(CODE("\x44\x89\xc8")));				     /* mov eax, r9d */
	CHECK(!keeps(CODE("\x8b\x07")) && !keeps(CODE("\x8a\x07")));	     /* mov eax; mov al */
	CHECK(!keeps(CODE("\x8a\x27")) && !keeps(CODE("\xb4\x01")));	     /* mov ah */
	CHECK(!keeps(CODE("\x0f\x94\xc0")) && !keeps(CODE("\x0f\x95\xc4"))); /* sete al; setne ah */
	CHECK(!keeps(CODE("\x83\xc0\x01")) && !keeps(CODE("\x0c\x01")));     /* add eax, 1; or al, 1 */
	CHECK(!keeps(CODE("\xf7\xe1")) && !keeps(CODE("\xf7\xd8")));	     /* mul; neg eax */
	CHECK(!keeps(CODE("\xff\xc8")));				     /* dec eax */
	CHECK(!keeps(CODE("\x0f\xa2")) && !keeps(CODE("\x0f\x31")));	     /* cpuid, rdtsc */
	CHECK(!keeps(CODE("\xf0\x0f\xb1\x0f")));			     /* cmpxchg */
	CHECK(!keeps(CODE("\x48\x0f\x44\xc1")));			     /* cmove */
	CHECK(!keeps(CODE("\xf3\x48\x0f\x1e\xc8")));			     /* rdsspq rax */
	CHECK(!keeps(CODE("\x66\x0f\x7e\xc0")));			     /* movd eax, xmm0 */
	CHECK(!keeps(CODE("\xc5\xf9\x7e\xc0")));			     /* and with VEX */
}

static bool moves(const uint8_t *code, size_t size)
{
	return whole(code, size).relocatable;
}

static void test_relocatable(void)
{
	CHECK(moves(CODE("\xb8\x01\x00\x00\x00")) && moves(CODE("\x89\xd0")) && moves(CODE("\x8b\x07")));
	CHECK(moves(CODE("\x48\x8d\x54\x24\x08")) && moves(CODE("\x48\x63\xff")) && moves(CODE("\x0f\xb6\xc9")));
	CHECK(moves(CODE("\x48\x3d\x00\xf0\xff\xff")) && moves(CODE("\x85\xc0")) && moves(CODE("\x83\xce\x01")));
	CHECK(moves(CODE("\x64\x48\x8b\x04\x25\x10\x00\x00\x00"))); /* mov rax, fs:16 */
	CHECK(moves(CODE("\x90")) && moves(CODE("\x66\x90")) && moves(CODE("\x0f\x29\x44\x24\x10")));
	CHECK(moves(CODE("\x66\x2e\x0f\x1f\x84\x00\x00\x00\x00\x00")));
	CHECK(!moves(CODE("\x8b\x05\x01\x02\x03\x04")) && !moves(CODE("\x48\x8d\x15\x01\x02\x03\x04")));
	CHECK(!moves(CODE("\xeb\x00")) && !moves(CODE("\xe8\x00\x00\x00\x00")) && !moves(CODE("\xc3")));
	CHECK(!moves(CODE("\x0f\x05")) && !moves(CODE("\xcd\x80")) && !moves(CODE("\xff\xd0")));
	CHECK(!moves(CODE("\x74\x00")) && !moves(CODE("\x0f\x44\xc1")) &&
	      !moves(CODE("\x83\xd0\x00"))); /* je, cmov, adc */
	CHECK(!moves(CODE("\x5b")) && !moves(CODE("\x53")) && !moves(CODE("\x9c")));
	CHECK(!moves(CODE("\xf0\x01\x07")) && !moves(CODE("\x67\x8b\x07")) && !moves(CODE("\xf3\x90")));
	CHECK(!moves(CODE("\xf3\x0f\x1e\xfa")) && !moves(CODE("\xf7\xe1")) && !moves(CODE("\xc5\xfd\x6f\x07")));
}

static bool uses(const uint8_t *code, size_t size, uint16_t reads, uint16_t writes)
{
	struct instruction out = whole(code, size);

	return out.reads == reads && out.writes == writes;
}

static void test_registers(void)
{
	CHECK(uses(CODE("\x48\x89\xca"), 1 << 1, 1 << 2));		     /* mov rdx, rcx */
	CHECK(uses(CODE("\x4a\x8b\x54\xd8\x08"), 1 << 0 | 1 << 11, 1 << 2)); /* mov rdx, [rax+r11*8+8] */
	CHECK(uses(CODE("\x4c\x89\x5c\x24\x08"), 1 << 4 | 1 << 11, 0));	     /* mov [rsp+8], r11 */
	CHECK(uses(CODE("\x49\xc7\x04\x24\x01\x00\x00\x00"), 1 << 12, 0));   /* mov qword [r12], 1 */
	CHECK(uses(CODE("\x45\x31\xdb"), 0, 1 << 11));			     /* xor r11d, r11d */
	CHECK(uses(CODE("\x45\x31\xd3"), 1 << 10 | 1 << 11, 1 << 11));	     /* xor r11d, r10d */
	CHECK(uses(CODE("\x64\x48\x8b\x0c\x25\x10\x00\x00\x00"), 0, 1 << 1));
	CHECK(uses(CODE("\x88\x27"), 1 << 7 | 1 << 4 | 1 << 0, 0)); /* mov [rdi], ah */
	CHECK(uses(CODE("\xb5\x01"), 0, 1 << 5 | 1 << 1));	    /* mov ch, 1 */
	CHECK(uses(CODE("\x85\xd9"), 1 << 1 | 1 << 3, 0));	    /* test ecx, ebx */
	CHECK(uses(CODE("\x48\x3d\x00\xf0\xff\xff"), 1 << 0, 0));   /* cmp rax, -4096 */
	CHECK(whole(CODE("\x0f\x05")).writes == (1 << 0 | 1 << 1 | 1 << 11));
	CHECK(whole(CODE("\x8b\x07")).loads && !whole(CODE("\x8b\x07")).stores);
	CHECK(!whole(CODE("\x89\x07")).loads && whole(CODE("\x89\x07")).stores);
	CHECK(whole(CODE("\x01\x07")).loads && whole(CODE("\x01\x07")).stores);
	CHECK(!whole(CODE("\x48\x8d\x17")).loads && !whole(CODE("\x89\xd0")).loads);
}

static bool reads_flags(const uint8_t *code, size_t size)
{
	struct instruction out = whole(code, size);

	CHECK(!out.reads_flags || (!out.sets_flags && !out.relocatable));
	return out.reads_flags;
}

static void test_flags(void)
{
	CHECK(reads_flags(CODE("\x74\x00")) && reads_flags(CODE("\x0f\x84\x00\x00\x00\x00")));
	CHECK(reads_flags(CODE("\x0f\x94\xc0")) && reads_flags(CODE("\x0f\x44\xc1")) && reads_flags(CODE("\x9c")));
	CHECK(reads_flags(CODE("\x9f")) && reads_flags(CODE("\x11\xd8")) && reads_flags(CODE("\x83\xd8\x00")));
	CHECK(reads_flags(CODE("\xd1\xd0")) && reads_flags(CODE("\xf5")) && reads_flags(CODE("\xda\xc1")));
	CHECK(reads_flags(CODE("\xf3\x0f\x38\xf6\xc1")) && reads_flags(CODE("\xc7\xf8\x00\x00\x00\x00")));
	CHECK(!reads_flags(CODE("\x89\xd0")) && !reads_flags(CODE("\xc3")) &&
	      !reads_flags(CODE("\xe8\x00\x00\x00\x00")));
	CHECK(whole(CODE("\x85\xc0")).sets_flags && whole(CODE("\x48\x3d\x00\xf0\xff\xff")).sets_flags);
	CHECK(whole(CODE("\xf7\xd8")).sets_flags && whole(CODE("\x31\xc0")).sets_flags);
	CHECK(!whole(CODE("\xf7\xd0")).sets_flags && !whole(CODE("\xff\xc0")).sets_flags); /* not, inc */
	CHECK(!whole(CODE("\xc1\xe0\x04")).sets_flags && !whole(CODE("\x89\xd0")).sets_flags);
}

static void test_moves(void)
{
	struct instruction out = whole(CODE("\x45\x89\xc1")); /* mov r9d, r8d */

	CHECK(out.copies && out.target == 9 && out.source == 8 && !out.sets_eax);
	out = whole(CODE("\x48\x8b\xc2")); /* mov rax, rdx */
	CHECK(out.copies && out.target == 0 && out.source == 2 && out.sets_eax);
	out = whole(CODE("\x41\xb9\x14\x00\x00\x00"));
	CHECK(out.constant && out.target == 9 && out.number == 20 && !out.sets_number && !out.sets_eax);
	CHECK(whole(CODE("\x8b\x07")).sets_eax && whole(CODE("\x48\x63\x07")).sets_eax);
	CHECK(whole(CODE("\x31\xc0")).sets_eax && !whole(CODE("\x89\x00")).sets_eax &&
	      !whole(CODE("\x66\x89\xd0")).copies);
	out = whole(CODE("\x48\x8d\x15\xf0\xff\xff\xff"));
	CHECK(out.points && out.displacement == -16 && !out.branch);
	CHECK(!whole(CODE("\x48\x8d\x54\x24\x08")).points && !whole(CODE("\x8b\x05\x01\x02\x03\x04")).points);
}

int main(void)
{
	test_lengths();
	test_refused();
	test_control();
	test_calls();
	test_number_set();
	test_number_kept();
	test_number_lost();
	test_relocatable();
	test_registers();
	test_flags();
	test_moves();
	return 0;
}
