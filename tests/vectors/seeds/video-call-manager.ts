import { CallWebSocketEventType } from '@/contracts'

class VideoCallManager {
  private ws: WebSocket
  private peerConnections: Map<string, RTCPeerConnection> = new Map()
  private localStream: MediaStream | null = null

  constructor(wsUrl: string, token: string) {
    this.ws = new WebSocket(`${wsUrl}?token=${token}`)
    this.ws.onmessage = this.handleMessage.bind(this)
  }

  // Iniciar chamada
  async startCall(participantIds: string[], type: 'AUDIO' | 'VIDEO') {
    // Obter mídia local
    this.localStream = await navigator.mediaDevices.getUserMedia({
      video: type === 'VIDEO',
      audio: true,
    })

    // Enviar via WebSocket
    this.send({
      event: CallWebSocketEventType.CALL_INITIATE,
      timestamp: new Date(),
      data: {
        participantIds,
        type,
      },
    })
  }

  // Atender chamada
  async answerCall(callId: string) {
    // Obter mídia local
    this.localStream = await navigator.mediaDevices.getUserMedia({
      video: true,
      audio: true,
    })

    this.send({
      event: CallWebSocketEventType.CALL_ANSWER,
      timestamp: new Date(),
      data: { callId },
    })
  }

  // Criar peer connection
  private async createPeerConnection(callId: string, userId: string) {
    const config = {
      iceServers: [
        { urls: 'stun:stun.l.google.com:19302' },
        // Adicionar TURN servers para produção
      ],
    }

    const pc = new RTCPeerConnection(config)
    this.peerConnections.set(userId, pc)

    // Adicionar tracks locais
    if (this.localStream) {
      this.localStream.getTracks().forEach((track) => {
        pc.addTrack(track, this.localStream!)
      })
    }

    // Lidar com tracks remotos
    pc.ontrack = (event) => {
      const [remoteStream] = event.streams
      this.onRemoteStream?.(userId, remoteStream)
    }

    // Lidar com ICE candidates
    pc.onicecandidate = (event) => {
      if (event.candidate) {
        this.send({
          event: CallWebSocketEventType.WEBRTC_ICE_CANDIDATE,
          timestamp: new Date(),
          data: {
            callId,
            targetUserId: userId,
            candidate: {
              candidate: event.candidate.candidate,
              sdpMid: event.candidate.sdpMid,
              sdpMLineIndex: event.candidate.sdpMLineIndex,
            },
          },
        })
      }
    }

    return pc
  }

  // Criar e enviar offer
  private async createOffer(callId: string, userId: string) {
    const pc = await this.createPeerConnection(callId, userId)
    const offer = await pc.createOffer()
    await pc.setLocalDescription(offer)

    this.send({
      event: CallWebSocketEventType.WEBRTC_OFFER,
      timestamp: new Date(),
      data: {
        callId,
        targetUserId: userId,
        offer: {
          type: 'offer',
          sdp: offer.sdp!,
        },
      },
    })
  }

  // Lidar com mensagens WebSocket
  private async handleMessage(event: MessageEvent) {
    const message = JSON.parse(event.data)

    switch (message.event) {
      case CallWebSocketEventType.CALL_INCOMING:
        await this.handleIncomingCall(message.data)
        break

      case CallWebSocketEventType.CALL_STARTED:
        await this.handleCallStarted(message.data)
        break

      case CallWebSocketEventType.WEBRTC_OFFER_RECEIVED:
        await this.handleOfferReceived(message.data)
        break

      case CallWebSocketEventType.WEBRTC_ANSWER_RECEIVED:
        await this.handleAnswerReceived(message.data)
        break

      case CallWebSocketEventType.WEBRTC_ICE_CANDIDATE_RECEIVED:
        await this.handleIceCandidateReceived(message.data)
        break

      case CallWebSocketEventType.CALL_PARTICIPANT_MEDIA_CHANGED:
        this.onParticipantMediaChanged?.(message.data)
        break

      case CallWebSocketEventType.CALL_ENDED:
        await this.handleCallEnded(message.data)
        break
    }
  }

  private async handleOfferReceived(data: any) {
    const pc = await this.createPeerConnection(data.callId, data.fromUserId)

    await pc.setRemoteDescription(new RTCSessionDescription(data.offer))

    const answer = await pc.createAnswer()
    await pc.setLocalDescription(answer)

    this.send({
      event: CallWebSocketEventType.WEBRTC_ANSWER,
      timestamp: new Date(),
      data: {
        callId: data.callId,
        targetUserId: data.fromUserId,
        answer: {
          type: 'answer',
          sdp: answer.sdp!,
        },
      },
    })
  }

  private async handleAnswerReceived(data: any) {
    const pc = this.peerConnections.get(data.fromUserId)
    if (pc) {
      await pc.setRemoteDescription(new RTCSessionDescription(data.answer))
    }
  }

  private async handleIceCandidateReceived(data: any) {
    const pc = this.peerConnections.get(data.fromUserId)
    if (pc) {
      await pc.addIceCandidate(new RTCIceCandidate(data.candidate))
    }
  }

  // Controles de mídia
  toggleAudio() {
    if (this.localStream) {
      const audioTrack = this.localStream.getAudioTracks()[0]
      audioTrack.enabled = !audioTrack.enabled

      this.send({
        event: CallWebSocketEventType.CALL_PARTICIPANT_MEDIA_UPDATE,
        data: {
          callId: this.currentCallId,
          isMuted: !audioTrack.enabled,
        },
      })
    }
  }

  toggleVideo() {
    if (this.localStream) {
      const videoTrack = this.localStream.getVideoTracks()[0]
      videoTrack.enabled = !videoTrack.enabled

      this.send({
        event: CallWebSocketEventType.CALL_PARTICIPANT_MEDIA_UPDATE,
        data: {
          callId: this.currentCallId,
          isVideoEnabled: videoTrack.enabled,
        },
      })
    }
  }

  async shareScreen() {
    try {
      const screenStream = await navigator.mediaDevices.getDisplayMedia({
        video: true,
      })

      // Substituir track de vídeo pelo da tela
      const videoTrack = screenStream.getVideoTracks()[0]

      this.peerConnections.forEach((pc) => {
        const sender = pc.getSenders().find((s) => s.track?.kind === 'video')
        if (sender) {
          sender.replaceTrack(videoTrack)
        }
      })

      this.send({
        event: CallWebSocketEventType.CALL_PARTICIPANT_MEDIA_UPDATE,
        data: {
          callId: this.currentCallId,
          isSharingScreen: true,
        },
      })
    } catch (error) {
      console.error('Erro ao compartilhar tela:', error)
    }
  }

  endCall() {
    this.send({
      event: CallWebSocketEventType.CALL_END,
      data: { callId: this.currentCallId },
    })

    this.cleanup()
  }

  private cleanup() {
    // Fechar peer connections
    this.peerConnections.forEach((pc) => pc.close())
    this.peerConnections.clear()

    // Parar tracks locais
    if (this.localStream) {
      this.localStream.getTracks().forEach((track) => track.stop())
      this.localStream = null
    }
  }

  private send(data: any) {
    if (this.ws.readyState === WebSocket.OPEN) {
      this.ws.send(JSON.stringify(data))
    }
  }

  // Callbacks
  onRemoteStream?: (userId: string, stream: MediaStream) => void
  onParticipantMediaChanged?: (data: any) => void
}
