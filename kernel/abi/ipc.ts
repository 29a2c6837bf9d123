/**
 * System V IPC: semaphores, shared memory, message queues.
 *
 * Source: uapi linux/ipc.h, linux/sem.h, linux/shm.h, linux/msg.h;
 * sysvipc(7).
 * @module
 */

// Flags and commands of all three.
export const IPC_CREAT = 0o1000;
export const IPC_EXCL = 0o2000;
export const IPC_NOWAIT = 0o4000;

export const IPC_PRIVATE = 0;
export const IPC_RMID = 0;
export const IPC_SET = 1;
export const IPC_STAT = 2;
export const IPC_INFO = 3;
export const IPC_64 = 256;

// Semaphores.
export const SEM_UNDO = 4096;
export const GETPID = 11;
export const GETVAL = 12;
export const GETALL = 13;
export const GETNCNT = 14;
export const GETZCNT = 15;
export const SETVAL = 16;
export const SETALL = 17;
export const SEM_STAT = 18;
export const SEM_INFO = 19;
export const SEM_STAT_ANY = 20;

export const SEMMNI = 32000;
export const SEMMSL = 32000;
export const SEMMNS = 1024000000;
export const SEMOPM = 500;
export const SEMVMX = 32767;
export const SEMAEM = 32767;

// Shared memory.
export const SHM_R = 0o400;
export const SHM_W = 0o200;
export const SHM_HUGETLB = 0o4000;
export const SHM_NORESERVE = 0o10000;
export const SHM_RDONLY = 0o10000;
export const SHM_RND = 0o20000;
export const SHM_REMAP = 0o40000;
export const SHM_EXEC = 0o100000;

export const SHM_LOCK = 11;
export const SHM_UNLOCK = 12;
export const SHM_STAT = 13;
export const SHM_INFO = 14;
export const SHM_STAT_ANY = 15;
export const SHMMIN = 1;
export const SHMMNI = 4096;
export const SHMSEG = 4096;

// Message queues.
export const MSG_STAT = 11;
export const MSG_INFO = 12;
export const MSG_STAT_ANY = 13;
export const MSGMNI = 32000;
export const MSGMAX = 8192;
export const MSGMNB = 16384;

export const MSG_NOERROR = 0o10000;
export const MSG_EXCEPT = 0o20000;
export const MSG_COPY = 0o40000;

/** Size of struct ipc64_perm in bytes. */
export const IPC64_PERM_SIZE = 48;

/** Byte offsets of the fields of struct ipc64_perm. */
export const IPC64_PERM = {
  key: 0,
  uid: 4,
  gid: 8,
  cuid: 12,
  cgid: 16,
  mode: 20,
  seq: 24,
} as const;

/** Size of struct semid64_ds in bytes. */
export const SEMID64_DS_SIZE = 104;

/** Byte offsets of the fields of struct semid64_ds. */
export const SEMID64_DS = {
  sem_perm: 0,
  sem_otime: 48,
  sem_ctime: 64,
  sem_nsems: 80,
} as const;

/** Size of struct sembuf in bytes. */
export const SEMBUF_SIZE = 6;

/** Byte offsets of the fields of struct sembuf. */
export const SEMBUF = {
  sem_num: 0,
  sem_op: 2,
  sem_flg: 4,
} as const;

/** Size of struct shmid64_ds in bytes. */
export const SHMID64_DS_SIZE = 112;

/** Byte offsets of the fields of struct shmid64_ds. */
export const SHMID64_DS = {
  shm_perm: 0,
  shm_segsz: 48,
  shm_atime: 56,
  shm_dtime: 64,
  shm_ctime: 72,
  shm_cpid: 80,
  shm_lpid: 84,
  shm_nattch: 88,
} as const;

/** Size of struct msqid64_ds in bytes. */
export const MSQID64_DS_SIZE = 120;

/** Byte offsets of the fields of struct msqid64_ds. */
export const MSQID64_DS = {
  msg_perm: 0,
  msg_stime: 48,
  msg_rtime: 56,
  msg_ctime: 64,
  msg_cbytes: 72,
  msg_qnum: 80,
  msg_qbytes: 88,
  msg_lspid: 96,
  msg_lrpid: 100,
} as const;

/** Set in shm_perm.mode of a segment to be destroyed at its last detach. */
export const SHM_DEST = 0o1000;
/** Set in shm_perm.mode of a locked segment. */
export const SHM_LOCKED = 0o2000;
