/**
 * Terminal ioctl(2) requests, mode bits and layouts.
 *
 * Source: uapi asm-generic/termbits.h, asm-generic/termios.h,
 * asm-generic/ioctls.h; termios(3), ioctl_tty(2). The struct here is the
 * kernel's, smaller than libc's.
 * @module
 */

// Requests.
export const TCGETS = 0x5401;
export const TCSETS = 0x5402;
export const TCSETSW = 0x5403;
export const TCSETSF = 0x5404;
export const TCGETA = 0x5405;
export const TCSETA = 0x5406;
export const TCSETAW = 0x5407;
export const TCSETAF = 0x5408;
export const TCSBRK = 0x5409;
export const TCXONC = 0x540a;
export const TCFLSH = 0x540b;
export const TIOCEXCL = 0x540c;
export const TIOCNXCL = 0x540d;
export const TIOCSCTTY = 0x540e;
export const TIOCGPGRP = 0x540f;
export const TIOCSPGRP = 0x5410;
export const TIOCOUTQ = 0x5411;
export const TIOCSTI = 0x5412;
export const TIOCGWINSZ = 0x5413;
export const TIOCSWINSZ = 0x5414;
export const TIOCMGET = 0x5415;
export const TIOCMBIS = 0x5416;
export const TIOCMBIC = 0x5417;
export const TIOCMSET = 0x5418;
export const TIOCGSOFTCAR = 0x5419;
export const TIOCSSOFTCAR = 0x541a;
export const TIOCINQ = 0x541b;
export const TIOCLINUX = 0x541c;
export const TIOCCONS = 0x541d;
export const TIOCGSERIAL = 0x541e;
export const TIOCSSERIAL = 0x541f;
export const TIOCPKT = 0x5420;
export const TIOCNOTTY = 0x5422;
export const TIOCSETD = 0x5423;
export const TIOCGETD = 0x5424;
export const TCSBRKP = 0x5425;
export const TIOCSBRK = 0x5427;
export const TIOCCBRK = 0x5428;
export const TIOCGSID = 0x5429;
export const TCGETS2 = 0x802c542a;
export const TCSETS2 = 0x402c542b;
export const TCSETSW2 = 0x402c542c;
export const TCSETSF2 = 0x402c542d;
export const TIOCGRS485 = 0x542e;
export const TIOCSRS485 = 0x542f;
export const TIOCGPTN = 0x80045430;
export const TIOCSPTLCK = 0x40045431;
export const TIOCGDEV = 0x80045432;
export const TIOCSIG = 0x40045436;
export const TIOCVHANGUP = 0x5437;
export const TIOCGPKT = 0x80045438;
export const TIOCGPTLCK = 0x80045439;
export const TIOCGEXCL = 0x80045440;
export const TIOCGPTPEER = 0x5441;

// Events in packet mode.
export const TIOCPKT_DATA = 0;
export const TIOCPKT_FLUSHREAD = 1;
export const TIOCPKT_FLUSHWRITE = 2;
export const TIOCPKT_STOP = 4;
export const TIOCPKT_START = 8;
export const TIOCPKT_NOSTOP = 0x10;
export const TIOCPKT_DOSTOP = 0x20;
export const TIOCPKT_IOCTL = 0x40;

// Queues of TCFLSH, and actions of TCXONC.
export const TCOOFF = 0;
export const TCOON = 1;
export const TCIOFF = 2;
export const TCION = 3;
export const TCIFLUSH = 0;
export const TCOFLUSH = 1;
export const TCIOFLUSH = 2;

// Indexes into c_cc.
export const VINTR = 0;
export const VQUIT = 1;
export const VERASE = 2;
export const VKILL = 3;
export const VEOF = 4;
export const VTIME = 5;
export const VMIN = 6;
export const VSWTC = 7;
export const VSTART = 8;
export const VSTOP = 9;
export const VSUSP = 10;
export const VEOL = 11;
export const VREPRINT = 12;
export const VDISCARD = 13;
export const VWERASE = 14;
export const VLNEXT = 15;
export const VEOL2 = 16;

export const NCCS = 19;

// c_iflag.
export const IGNBRK = 1;
export const BRKINT = 2;
export const IGNPAR = 4;
export const PARMRK = 8;
export const INPCK = 0x10;
export const ISTRIP = 0x20;
export const INLCR = 0x40;
export const IGNCR = 0x80;
export const ICRNL = 0x100;
export const IUCLC = 0x200;
export const IXON = 0x400;
export const IXANY = 0x800;
export const IXOFF = 0x1000;
export const IMAXBEL = 0x2000;
export const IUTF8 = 0x4000;

// c_oflag.
export const OPOST = 1;
export const OLCUC = 2;
export const ONLCR = 4;
export const OCRNL = 8;
export const ONOCR = 0x10;
export const ONLRET = 0x20;
export const OFILL = 0x40;
export const OFDEL = 0x80;
export const NLDLY = 0x100;
export const NL0 = 0;
export const NL1 = 0x100;
export const CRDLY = 0x600;
export const CR0 = 0;
export const CR1 = 0x200;
export const CR2 = 0x400;
export const CR3 = 0x600;
export const TABDLY = 0x1800;
export const TAB0 = 0;
export const TAB1 = 0x800;
export const TAB2 = 0x1000;
export const TAB3 = 0x1800;
export const XTABS = 0x1800;
export const BSDLY = 0x2000;
export const BS0 = 0;
export const BS1 = 0x2000;
export const VTDLY = 0x4000;
export const VT0 = 0;
export const VT1 = 0x4000;
export const FFDLY = 0x8000;
export const FF0 = 0;
export const FF1 = 0x8000;

// c_cflag.
export const CBAUD = 0x100f;
export const B0 = 0;
export const B50 = 1;
export const B75 = 2;
export const B110 = 3;
export const B134 = 4;
export const B150 = 5;
export const B200 = 6;
export const B300 = 7;
export const B600 = 8;
export const B1200 = 9;
export const B1800 = 0xa;
export const B2400 = 0xb;
export const B4800 = 0xc;
export const B9600 = 0xd;
export const B19200 = 0xe;
export const B38400 = 0xf;
export const CSIZE = 0x30;
export const CS5 = 0;
export const CS6 = 0x10;
export const CS7 = 0x20;
export const CS8 = 0x30;
export const CSTOPB = 0x40;
export const CREAD = 0x80;
export const PARENB = 0x100;
export const PARODD = 0x200;
export const HUPCL = 0x400;
export const CLOCAL = 0x800;
export const CBAUDEX = 0x1000;
export const BOTHER = 0x1000;
export const B57600 = 0x1001;
export const B115200 = 0x1002;
export const B230400 = 0x1003;
export const CMSPAR = 0x40000000;
export const CRTSCTS = 0x80000000;
export const CIBAUD = 0x100f0000;
export const ADDRB = 0x20000000;
export const IBSHIFT = 0x10;

// c_lflag.
export const ISIG = 1;
export const ICANON = 2;
export const XCASE = 4;
export const ECHO = 8;
export const ECHOE = 0x10;
export const ECHOK = 0x20;
export const ECHONL = 0x40;
export const NOFLSH = 0x80;
export const TOSTOP = 0x100;
export const ECHOCTL = 0x200;
export const ECHOPRT = 0x400;
export const ECHOKE = 0x800;
export const FLUSHO = 0x1000;
export const PENDIN = 0x4000;
export const IEXTEN = 0x8000;
export const EXTPROC = 0x10000;

// Modem lines.
export const TIOCM_LE = 1;
export const TIOCM_DTR = 2;
export const TIOCM_RTS = 4;
export const TIOCM_ST = 8;
export const TIOCM_SR = 0x10;
export const TIOCM_CTS = 0x20;
export const TIOCM_CAR = 0x40;
export const TIOCM_RNG = 0x80;
export const TIOCM_DSR = 0x100;
export const TIOCM_CD = 0x40;
export const TIOCM_RI = 0x80;
export const TIOCM_OUT1 = 0x2000;
export const TIOCM_OUT2 = 0x4000;
export const TIOCM_LOOP = 0x8000;

// Line disciplines.
export const N_TTY = 0;

/** Size of struct termios in bytes. */
export const TERMIOS_SIZE = 36;

/** Byte offsets of the kernel struct termios (TCGETS). */
export const TERMIOS = {
  c_iflag: 0,
  c_oflag: 4,
  c_cflag: 8,
  c_lflag: 12,
  c_line: 16,
  c_cc: 17,
} as const;

/** Size of struct termios2 in bytes. */
export const TERMIOS2_SIZE = 44;

/** Byte offsets of struct termios2 (TCGETS2). */
export const TERMIOS2 = {
  c_iflag: 0,
  c_oflag: 4,
  c_cflag: 8,
  c_lflag: 12,
  c_line: 16,
  c_cc: 17,
  c_ispeed: 36,
  c_ospeed: 40,
} as const;

/** Size of struct winsize in bytes. */
export const WINSIZE_SIZE = 8;

/** Byte offsets of the fields of struct winsize. */
export const WINSIZE = {
  ws_row: 0,
  ws_col: 2,
  ws_xpixel: 4,
  ws_ypixel: 6,
} as const;

/** Size of struct termio in bytes. */
export const TERMIO_SIZE = 18;

/** Byte offsets of the old struct termio (TCGETA). */
export const TERMIO = {
  c_iflag: 0,
  c_oflag: 2,
  c_cflag: 4,
  c_lflag: 6,
  c_line: 8,
  c_cc: 9,
} as const;

/** Value in c_cc that disables a special character. */
export const _POSIX_VDISABLE = 0;
